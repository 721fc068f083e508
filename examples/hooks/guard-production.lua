-- Refuses to sync into production: buckets named prod-* are never a destination.

return {
  api = 1,

  pre_lock = function(ctx)
    if ctx.destination.bucket:starts_with("prod-") then
      return { reject = ("syncs into production are not allowed: %s"):format(ctx.destination.path) }
    end
  end,
}
