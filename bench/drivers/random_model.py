"""Writes a model of Qwen3-0.6B's shape with random weights: it says nothing sensible and works as long as a real one.
Its KV state takes 112 KiB a token. Needs gguf (in llama.cpp's source, gguf-py) and numpy."""

import argparse
import os
from pathlib import Path

import gguf
import numpy

LAYERS, WIDTH, FEED_FORWARD = 28, 1024, 3072
HEADS, KV_HEADS, HEAD_WIDTH = 16, 8, 128
CONTEXT = 40960

Q8 = gguf.GGMLQuantizationType.Q8_0


def random_q8(generator, rows, columns):
    """Blocks of 32 weights: a scale in half precision, then a byte each."""
    blocks = generator.integers(-127, 128, size=(rows, columns // 32, 34), dtype=numpy.int8).view(numpy.uint8)
    scale = numpy.float16(1 / (127 * columns ** 0.5))
    blocks[:, :, :2] = numpy.frombuffer(scale.tobytes(), dtype=numpy.uint8)
    return blocks.reshape(rows, -1)


def add_tokenizer(writer, vocabulary):
    """And the chat template, as the vocabulary file has them; gives the count of its tokens."""
    fields = gguf.GGUFReader(vocabulary).fields
    for name, field in fields.items():
        if name.startswith("tokenizer."):
            sub_type = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type)
    return len(fields["tokenizer.ggml.tokens"].contents())


def add_shape(writer):
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)


def add_weights(writer, tokens):
    generator = numpy.random.default_rng(1)

    def matrix(name, rows, columns):
        writer.add_tensor(f"{name}.weight", random_q8(generator, rows, columns), raw_dtype=Q8)

    def norm(name, width):
        writer.add_tensor(f"{name}.weight", numpy.ones(width, dtype=numpy.float32))

    matrix("token_embd", tokens, WIDTH)
    norm("output_norm", WIDTH)
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        norm(prefix + "attn_norm", WIDTH)
        norm(prefix + "ffn_norm", WIDTH)
        norm(prefix + "attn_q_norm", HEAD_WIDTH)
        norm(prefix + "attn_k_norm", HEAD_WIDTH)
        matrix(prefix + "attn_q", HEADS * HEAD_WIDTH, WIDTH)
        matrix(prefix + "attn_k", KV_HEADS * HEAD_WIDTH, WIDTH)
        matrix(prefix + "attn_v", KV_HEADS * HEAD_WIDTH, WIDTH)
        matrix(prefix + "attn_output", WIDTH, HEADS * HEAD_WIDTH)
        matrix(prefix + "ffn_gate", FEED_FORWARD, WIDTH)
        matrix(prefix + "ffn_up", FEED_FORWARD, WIDTH)
        matrix(prefix + "ffn_down", WIDTH, FEED_FORWARD)


def write_model(vocabulary, target):
    unfinished = target.with_suffix(".part")
    writer = gguf.GGUFWriter(unfinished, "qwen3")
    add_shape(writer)
    tokens = add_tokenizer(writer, vocabulary)
    add_weights(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(unfinished, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabulary", type=Path, help="a GGUF file with a tokenizer, as llama.cpp's models/ggml-vocab-qwen2")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    write_model(options.vocabulary, options.target)


if __name__ == "__main__":
    main()
