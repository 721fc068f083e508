-- Limits the bandwidth of syncs that are due in office hours.
--
-- Parameters: daytime_limit, as rclone's --bwlimit takes it (10M if there is none).
-- The hours are UTC, and the tick's: a Job must come out the same however often it is built.

local FROM, TO = 8, 18

return {
  api = 1,

  build_job = function(ctx, job)
    if ctx.time.hour >= FROM and ctx.time.hour < TO then
      rclone.flag(job, "bwlimit", ctx.params.daytime_limit or "10M")
    end
    return job
  end,
}
