-- Names Jobs by the site's scheme: <site>-<name of the run>.
--
-- Parameters: site ("home" if there is none). Names of Jobs must differ, so the run's name, which is unique, stays in.

return {
  api = 1,

  job_name = function(ctx, name)
    local wanted = ("%s-%s"):format(ctx.params.site or "home", name)
    -- Longer ones are refused.
    return #wanted <= 63 and wanted or name
  end,
}
