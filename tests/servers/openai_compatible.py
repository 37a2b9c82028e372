"""Serves a GGUF model by llama.cpp's own HTTP server: MODEL PORT."""
import sys
import time

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 2048
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.cpuparams.n_threads = 1
params.n_parallel = 1
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
