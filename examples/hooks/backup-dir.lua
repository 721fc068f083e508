-- Keeps what a sync deletes or overwrites, in a folder of the day.
--
-- Parameters: trash, a bucket or a path in one, at the destination's remote. It must not lie inside of the destination.

return {
  api = 1,

  build_job = function(ctx, job)
    local trash = ctx.params.trash
    if trash then
      rclone.flag(job, "backup-dir", ("destination:%s/%s"):format(trash, ctx.time.date))
    end
    return job
  end,
}
