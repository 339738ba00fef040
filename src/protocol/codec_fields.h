// The fields of every struct that travels in a frame: the one list that both directions of the codec use.
// Private to codec.cc. A new field is added to its struct and here, and kVersion is raised.
#pragma once

#include <tuple>

#include "protocol/messages.h"

namespace rockllama::protocol {

template <class T>
struct Fields;  // of(value) gives references to the fields, const ones of a const value

// The last enumerator of every enum that travels; the first is 0.
template <class E>
inline constexpr E kLastOf = E::undefined;
template <>
inline constexpr ErrorCode kLastOf<ErrorCode> = ErrorCode::kInternal;
template <>
inline constexpr EngineKind kLastOf<EngineKind> = EngineKind::kScripted;
template <>
inline constexpr ReusePolicy kLastOf<ReusePolicy> = ReusePolicy::kNone;
template <>
inline constexpr FinishReason kLastOf<FinishReason> = FinishReason::kToolCalls;
template <>
inline constexpr ToolChoice kLastOf<ToolChoice> = ToolChoice::kRequired;
template <>
inline constexpr CacheTier kLastOf<CacheTier> = CacheTier::kResident;
template <>
inline constexpr StateFormat kLastOf<StateFormat> = StateFormat::kRaw;

#define ROCKLLAMA_FIELDS(Struct, ...)                         \
  template <>                                                 \
  struct Fields<Struct> {                                     \
    static auto of(auto& m) { return std::tie(__VA_ARGS__); } \
  }

ROCKLLAMA_FIELDS(ToolCall, m.id, m.name, m.arguments);
ROCKLLAMA_FIELDS(ChatMessage, m.role, m.content, m.name, m.tool_call_id, m.reasoning_content, m.tool_calls);
ROCKLLAMA_FIELDS(ChatTool, m.name, m.description, m.parameters);
ROCKLLAMA_FIELDS(ChatPrompt, m.messages, m.enable_thinking, m.tools, m.tool_choice, m.required_tool,
                 m.parallel_tool_calls, m.answer_schema, m.template_arguments);
ROCKLLAMA_FIELDS(TextPrompt, m.text, m.tokens, m.suffix, m.echo);
ROCKLLAMA_FIELDS(SamplingParams, m.temperature, m.top_p, m.top_k, m.min_p, m.repeat_penalty, m.frequency_penalty,
                 m.presence_penalty, m.mirostat, m.mirostat_tau, m.mirostat_eta, m.seed, m.logit_bias);
ROCKLLAMA_FIELDS(GenerationOptions, m.sampling, m.max_tokens, m.stop, m.reuse, m.top_logprobs);
ROCKLLAMA_FIELDS(TokenLogprob, m.piece, m.logprob);
ROCKLLAMA_FIELDS(TokenLogprobs, m.chosen, m.top);
ROCKLLAMA_FIELDS(ToolCallDelta, m.index, m.id, m.name, m.arguments);
ROCKLLAMA_FIELDS(AnswerPiece, m.text, m.reasoning, m.tool_calls, m.logprobs);
ROCKLLAMA_FIELDS(CacheUse, m.name, m.tier, m.tokens, m.restore_ms, m.state_of, m.reason, m.provisional,
                 m.state_refused);
ROCKLLAMA_FIELDS(Usage, m.prompt_tokens, m.completion_tokens, m.prefill_ms, m.decode_ms);
ROCKLLAMA_FIELDS(RkllmSettings, m.library, m.version, m.prompt_mode, m.lora_file, m.lora_scale, m.n_keep,
                 m.skip_special_token, m.base_domain_id, m.embed_flash, m.n_batch, m.enabled_cpus_num,
                 m.enabled_cpus_mask);
ROCKLLAMA_FIELDS(EmbeddingSettings, m.pooling, m.normalize, m.max_tokens);
ROCKLLAMA_FIELDS(ModelSpec, m.name, m.engine, m.file, m.tokenizer_file, m.chat_template, m.context_tokens, m.kv_tokens,
                 m.parallel, m.block_tokens, m.threads, m.automatic_reuse, m.automatic_memory_bytes, m.offer_evicted,
                 m.sampling_defaults, m.default_max_tokens, m.embedding, m.rkllm);
ROCKLLAMA_FIELDS(Capabilities, m.max_parallel, m.token_counts, m.per_request_sampling, m.seed, m.grammar, m.logprobs,
                 m.state_save);
ROCKLLAMA_FIELDS(LoadedModel, m.capabilities, m.context_tokens, m.trained_context_tokens, m.kv_bytes_per_token,
                 m.engine_version, m.engine_fingerprint, m.has_chat_template, m.ignored_sampling, m.prompt_mode,
                 m.prompt_mode_reason);
ROCKLLAMA_FIELDS(StateKey, m.id, m.tokens, m.token_hash, m.counted_tokens);
ROCKLLAMA_FIELDS(CacheContent, m.text, m.messages, m.tools);
ROCKLLAMA_FIELDS(CacheReference, m.name, m.line, m.state, m.reason);
ROCKLLAMA_FIELDS(StatePoint, m.tokens, m.token_hash);
ROCKLLAMA_FIELDS(KnownState, m.name, m.format, m.key, m.anchor, m.cuts, m.points, m.salt);
ROCKLLAMA_FIELDS(EngineFigures, m.prefill_tokens_per_s, m.restore_bytes_per_s, m.resident_prefixes, m.memory_prefixes,
                 m.memory_bytes);
ROCKLLAMA_FIELDS(SavedState, m.tokens, m.token_hash, m.anchor, m.bytes, m.cuts, m.prefill_ms, m.first_token_ms, m.note,
                 m.counted_tokens);

ROCKLLAMA_FIELDS(Hello, m.version);
ROCKLLAMA_FIELDS(Load, m.spec);
ROCKLLAMA_FIELDS(Prepare, m.id, m.prompt, m.options, m.caches, m.salt);
ROCKLLAMA_FIELDS(Start, m.id, m.credit);
ROCKLLAMA_FIELDS(Cancel, m.id);
ROCKLLAMA_FIELDS(Credit, m.id, m.tokens);
ROCKLLAMA_FIELDS(SaveState, m.id, m.format, m.line);
ROCKLLAMA_FIELDS(KnownStates, m.reset, m.removed, m.added);
ROCKLLAMA_FIELDS(Keep, m.id, m.offer);
ROCKLLAMA_FIELDS(Lend, m.id, m.state);
ROCKLLAMA_FIELDS(EmbeddingsQuestion, m.inputs);
ROCKLLAMA_FIELDS(Embeddings, m.vectors, m.prompt_tokens);
ROCKLLAMA_FIELDS(TokenizeQuestion, m.text, m.add_special, m.parse_special);
ROCKLLAMA_FIELDS(DetokenizeQuestion, m.tokens);
ROCKLLAMA_FIELDS(TemplateQuestion, m.chat);
ROCKLLAMA_FIELDS(Tokenized, m.tokens, m.pieces);
ROCKLLAMA_FIELDS(PlainText, m.text);
ROCKLLAMA_FIELDS(Ask, m.id, m.question);
ROCKLLAMA_FIELDS(Answered, m.id, m.answer);
ROCKLLAMA_FIELDS(Loaded, m.model);
ROCKLLAMA_FIELDS(LoadFailed, m.message);
ROCKLLAMA_FIELDS(Prepared, m.id, m.prompt_tokens, m.max_tokens, m.prefill_tokens, m.cache, m.state, m.state_outdated);
ROCKLLAMA_FIELDS(Restoring, m.id, m.state_id);
ROCKLLAMA_FIELDS(Started, m.id, m.cache);
ROCKLLAMA_FIELDS(Progress, m.id, m.done_tokens, m.total_tokens);
ROCKLLAMA_FIELDS(Tokens, m.id, m.count, m.piece);
ROCKLLAMA_FIELDS(Finished, m.id, m.reason, m.usage, m.cache);
ROCKLLAMA_FIELDS(Failed, m.id, m.code, m.message, m.param);
ROCKLLAMA_FIELDS(StateSaved, m.id, m.state);
ROCKLLAMA_FIELDS(Offered, m.offer, m.state, m.bytes, m.value);
ROCKLLAMA_FIELDS(Figures, m.figures);

#undef ROCKLLAMA_FIELDS

template <>
struct Fields<Shutdown> {
  static std::tuple<> of(const Shutdown&) { return {}; }
};

}  // namespace rockllama::protocol
