-- Says where the pod runs and what it may use.
--
-- Parameters:
--   node_selector   disk=ssd,zone=a     labels that the node must have
--   tolerate        backup,night        taints (of any value and effect) that the pod puts up with
--   cpu, memory     500m, 256Mi         requested; of memory no more is given either

-- "a=b,c=d" as a table.
local function pairs_of(text)
  local result = {}
  for _, piece in ipairs(text:split(",")) do
    local key, value = piece:trim():match("^([^=]+)=(.*)$")
    result[assert(key, "write node_selector as key=value,key=value")] = value
  end
  return result
end

return {
  api = 1,

  build_job = function(ctx, job)
    local params, pod = ctx.params, job.spec.template.spec
    if params.node_selector then
      pod.nodeSelector = pairs_of(params.node_selector)
    end
    if params.tolerate then
      pod.tolerations = pod.tolerations or array {}
      for _, taint in ipairs(params.tolerate:split(",")) do
        table.insert(pod.tolerations, { key = taint:trim(), operator = "Exists" })
      end
    end
    if params.cpu or params.memory then
      rclone.container(job).resources = {
        requests = { cpu = params.cpu, memory = params.memory },
        limits = { memory = params.memory },
      }
    end
    return job
  end,
}
