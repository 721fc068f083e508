-- The hook of the demo: limits the bandwidth as the policy's parameters say, and notes the limit in the run's status.

return {
  api = 1,

  build_job = function(ctx, job)
    rclone.flag(job, "bwlimit", ctx.params.limit)
    return job
  end,

  post_sync = function(ctx, outcome)
    return { notes = { limit = ctx.params.limit .. "/s" } }
  end,
}
