// filled by the runtime's branch
