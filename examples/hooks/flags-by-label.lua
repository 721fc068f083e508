-- Sets flags of rclone by the labels of the policy (or of the run, if it was made by hand):
--
--   example.com/fast-list: "true"     --fast-list: fewer requests, more memory
--   example.com/checksum: "true"      --checksum: compare contents, not times
--   example.com/transfers: "16"       --transfers=16: files at the same time

local SWITCHES = { "fast-list", "checksum" }

return {
  api = 1,

  build_job = function(ctx, job)
    local labels = (ctx.policy or ctx.run).labels
    for _, switch in ipairs(SWITCHES) do
      if labels["example.com/" .. switch] == "true" then
        rclone.flag(job, switch, true)
      end
    end
    local transfers = labels["example.com/transfers"]
    if transfers then
      rclone.flag(job, "transfers", assert(tonumber(transfers), "the label example.com/transfers must be a number"))
    end
    return job
  end,
}
