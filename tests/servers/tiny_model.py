"""Writes a llama model with random weights, half a megabyte: real wire, real streaming, no sense. Argument: FILE."""
import sys

import gguf
import numpy as np

WIDTH, HEADS, LAYERS, HIDDEN = 64, 4, 2, 128
random = np.random.default_rng(0)


def vocabulary():
    """SentencePiece style: specials, all bytes, printable ASCII and a few words."""
    tokens = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % byte for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    scores = [0.0] * len(tokens)
    words = ["\u2581"] + [chr(code) for code in range(33, 127)] + ["\u2581the", "\u2581a", "\u2581ferry", "ing", "知", "识"]
    for rank, word in enumerate(words):
        tokens.append(word.encode())
        kinds.append(1)
        scores.append(-1.0 - rank)
    return tokens, kinds, scores


def weights(*shape):
    return (random.standard_normal(shape) * 0.05).astype(np.float32)


tokens, kinds, scores = vocabulary()
writer = gguf.GGUFWriter(sys.argv[1], "llama")
writer.add_name("tiny")
writer.add_context_length(2048)
writer.add_embedding_length(WIDTH)
writer.add_block_count(LAYERS)
writer.add_feed_forward_length(HIDDEN)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(WIDTH // HEADS)
writer.add_vocab_size(len(tokens))
writer.add_file_type(0)
writer.add_tokenizer_model("llama")
writer.add_tokenizer_pre("default")
writer.add_token_list(tokens)
writer.add_token_types(kinds)
writer.add_token_scores(scores)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_unk_token_id(0)
writer.add_add_bos_token(True)
ones = np.ones(WIDTH, np.float32)
writer.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
writer.add_tensor("output_norm.weight", ones)
writer.add_tensor("output.weight", weights(len(tokens), WIDTH))
for layer in range(LAYERS):
    prefix = f"blk.{layer}."
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"{prefix}{name}.weight", ones)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"{prefix}{name}.weight", weights(WIDTH, WIDTH))
    for name in ("ffn_gate", "ffn_up"):
        writer.add_tensor(f"{prefix}{name}.weight", weights(HIDDEN, WIDTH))
    writer.add_tensor(f"{prefix}ffn_down.weight", weights(WIDTH, HIDDEN))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
