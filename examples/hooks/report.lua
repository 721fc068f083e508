-- Leaves the result of the latest run on its policy, and tells of failures in an Event.

return {
  api = 1,

  post_sync = function(ctx, outcome)
    local report = {
      annotations = {
        ["example.com/last-run"] = ctx.run.name,
        ["example.com/last-result"] = outcome.result,
      },
      notes = { ["reported-at"] = ctx.now.rfc3339 },
      events = array {},
    }
    if outcome.result == "Failed" then
      table.insert(report.events, {
        warning = true,
        reason = "BackupAtRisk",
        message = ("%s was not synced to %s: %s"):format(ctx.source.path, ctx.destination.path, outcome.message),
      })
    else
      table.insert(report.events, { reason = "BackupReported", message = ("the run ended: %s"):format(outcome.result) })
    end
    return report
  end,
}
