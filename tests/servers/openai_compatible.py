"""Serves a GGUF model by llama.cpp's own HTTP server: MODEL PORT [chat|embedding|rerank] [API_KEY]."""
import sys
import time

import xllamacpp

mode = sys.argv[3] if len(sys.argv) > 3 else "chat"
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 2048
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.cpuparams.n_threads = 1
params.n_parallel = 1
if mode != "chat":
    pooling = xllamacpp.llama_pooling_type
    params.embedding = True
    params.pooling_type = pooling.LLAMA_POOLING_TYPE_RANK if mode == "rerank" else pooling.LLAMA_POOLING_TYPE_MEAN
if len(sys.argv) > 4:
    params.api_keys = [sys.argv[4]]
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
