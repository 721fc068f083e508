-- Runs rclone in the network of its node, for storage that only nodes can reach.
--
-- Parameters: host_network, "true" for those who need it.

return {
  api = 1,

  build_job = function(ctx, job)
    if ctx.params.host_network == "true" then
      local pod = job.spec.template.spec
      pod.hostNetwork = true
      pod.dnsPolicy = "ClusterFirstWithHostNet"
    end
    return job
  end,
}
