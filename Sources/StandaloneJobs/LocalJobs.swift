// LocalJobs: Jobs as processes of this machine. Start reading here.
