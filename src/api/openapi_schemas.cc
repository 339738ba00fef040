// The OpenAPI document: what goes in and out. docs/api.md says what the fields mean.
#include "api/openapi.h"

namespace rockllama::api {

std::string_view openapi_generation_fields() {
  return R"json({
   "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 16},
   "model": {"type": ["string", "null"], "description": "a model's folder name, or name@cache"},
   "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
   "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
   "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1}, "top_k": {"type": ["integer", "null"]},
   "repeat_penalty": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
   "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
   "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
   "mirostat": {"type": ["integer", "null"], "minimum": 0, "maximum": 2},
   "mirostat_tau": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
   "mirostat_eta": {"type": ["number", "null"], "minimum": 0, "maximum": 1}, "seed": {"type": ["integer", "null"]},
   "max_tokens": {"type": ["integer", "null"], "description": "-1 = up to the context limit"},
   "max_completion_tokens": {"type": ["integer", "null"]},
   "stop": {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}]},
   "logit_bias": {"type": ["object", "null"]}, "stream": {"type": ["boolean", "null"]},
   "stream_options": {"type": ["object", "null"]},
   "use_cache": {"description": "name of a prompt cache, or a list of which the longest that fits serves"},
   "cache_prompt": {"description": "true, false, or exact"},
   "service_tier": {"enum": ["auto", "default", "flex", "scale", "priority", null]},
   "prompt_cache_key": {"type": ["string", "null"]}, "prompt_cache_retention": {"type": ["string", "null"]},
   "store": {"type": ["boolean", "null"]}, "metadata": {"type": ["object", "null"]},
   "user": {"type": ["string", "object", "null"]}, "safety_identifier": {"type": ["string", "null"]},
   "prediction": {"type": ["object", "null"]}, "verbosity": {"enum": ["low", "medium", "high", null]},
   "modalities": {"type": ["array", "null"]}
})json";
}

std::string_view openapi_schemas() {
  return R"json({
 "Error": {
  "type": "object",
  "properties": {
   "error": {
    "type": "object",
    "properties": {
     "message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": ["string", "null"]},
     "code": {"type": ["string", "null"]}
    },
    "required": ["message", "type", "param", "code"]
   }
  },
  "required": ["error"]
 },
 "Message": {
  "type": "object",
  "properties": {
   "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
   "content": {"description": "a text, a list of text parts, or null"}, "name": {"type": ["string", "null"]},
   "tool_call_id": {"type": ["string", "null"]}
  },
  "required": ["role"]
 },
 "ChatRequest": {
  "type": "object",
  "properties": {
   "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}, "minItems": 1},
   "tools": {"type": ["array", "null"], "items": {"type": "object"}},
   "tool_choice": {"description": "auto, none, required, or a function"},
   "parallel_tool_calls": {"type": ["boolean", "null"]}, "response_format": {"type": ["object", "null"]},
   "logprobs": {"type": ["boolean", "null"]},
   "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
   "reasoning_effort": {"type": ["string", "null"]},
   "enable_thinking": {"type": ["boolean", "null"]},
   "chat_template_kwargs": {"type": ["object", "null"]}
  },
  "required": ["messages"], "description": "docs/api.md says what each field does."
 },
 "CompletionRequest": {
  "type": "object",
  "properties": {
   "prompt": {"description": "a text, a list of texts, a list of token ids, or a list of such lists"},
   "echo": {"type": ["boolean", "null"]}, "suffix": {"type": ["string", "null"]},
   "best_of": {"type": ["integer", "null"], "minimum": 1, "maximum": 20},
   "logprobs": {"description": "0 to 20, or false"}
  },
  "required": ["prompt"]
 },
 "Usage": {
  "type": "object",
  "properties": {
   "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"},
   "total_tokens": {"type": "integer"},
   "prompt_tokens_details": {"type": "object", "properties": {"cached_tokens": {"type": "integer"}}},
   "cache_hit": {"type": "boolean"}, "cached_prompts": {"type": ["array", "null"], "items": {"type": "string"}},
   "cache": {"type": "object"}, "timings": {"type": "object"}
  },
  "required": ["prompt_tokens", "completion_tokens", "total_tokens"]
 },
 "ChatCompletion": {
  "type": "object",
  "properties": {
   "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"},
   "model": {"type": "string"}, "system_fingerprint": {"type": "string"}, "service_tier": {"type": "string"},
   "choices": {"type": "array", "items": {"type": "object"}},
   "usage": {"$ref": "#/components/schemas/Usage"}, "warnings": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["id", "object", "created", "model", "choices", "usage"]
 },
 "TextCompletion": {
  "type": "object",
  "properties": {
   "id": {"type": "string"}, "object": {"const": "text_completion"}, "created": {"type": "integer"},
   "model": {"type": "string"}, "system_fingerprint": {"type": "string"}, "service_tier": {"type": "string"},
   "choices": {"type": "array", "items": {"type": "object"}},
   "usage": {"$ref": "#/components/schemas/Usage"}, "warnings": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["id", "object", "created", "model", "choices", "usage"]
 },
 "ResponseRequest": {
  "type": "object",
  "properties": {
   "input": {
    "anyOf": [
     {"type": "string"},
     {"type": "array", "items": {"$ref": "#/components/schemas/InputItem"}, "minItems": 1}
    ]
   },
   "instructions": {"type": ["string", "null"]}, "previous_response_id": {"type": ["string", "null"]},
   "tools": {"type": ["array", "null"], "items": {"type": "object"}},
   "tool_choice": {"description": "auto, none, required, or a function"},
   "parallel_tool_calls": {"type": ["boolean", "null"]}, "text": {"type": ["object", "null"]},
   "reasoning": {"type": ["object", "null"]},
   "include": {"type": ["array", "null"], "items": {"type": "string"}},
   "max_output_tokens": {"type": ["integer", "null"], "minimum": 1},
   "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
   "truncation": {"enum": ["disabled", null]}
  },
  "required": ["input"], "description": "docs/api.md says what each field does."
 },
 "InputItem": {
  "type": "object",
  "properties": {
   "type": {"enum": ["message", "function_call", "function_call_output", "reasoning", null]},
   "role": {"enum": ["system", "developer", "user", "assistant", null]},
   "content": {"description": "a text, or a list of text parts"}, "call_id": {"type": ["string", "null"]},
   "name": {"type": ["string", "null"]}, "arguments": {"type": ["string", "null"], "description": "JSON"},
   "output": {"description": "a text, or a list of text parts"}
  }
 },
 "Response": {
  "type": "object",
  "properties": {
   "id": {"type": "string"}, "object": {"const": "response"}, "created_at": {"type": "integer"},
   "status": {"enum": ["completed", "incomplete"]}, "error": {"type": "null"},
   "incomplete_details": {"type": ["object", "null"]}, "model": {"type": "string"},
   "output": {
    "type": "array",
    "items": {
     "type": "object",
     "properties": {
      "id": {"type": "string"}, "type": {"enum": ["message", "function_call", "reasoning"]},
      "status": {"enum": ["completed", "incomplete"]}
     },
     "required": ["id", "type", "status"]
    }
   },
   "usage": {
    "type": "object",
    "properties": {
     "input_tokens": {"type": "integer"}, "input_tokens_details": {"type": "object"},
     "output_tokens": {"type": "integer"}, "output_tokens_details": {"type": "object"},
     "total_tokens": {"type": "integer"}
    },
    "required": ["input_tokens", "output_tokens", "total_tokens"]
   },
   "warnings": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["id", "object", "created_at", "status", "model", "output", "usage"]
 },
 "ResponseDeleted": {
  "type": "object",
  "properties": {"id": {"type": "string"}, "object": {"const": "response"}, "deleted": {"type": "boolean"}},
  "required": ["id", "object", "deleted"]
 },
 "InputTokens": {
  "type": "object",
  "properties": {"object": {"const": "response.input_tokens"}, "input_tokens": {"type": "integer"}},
  "required": ["object", "input_tokens"]
 },
 "EmbeddingsRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]},
   "input": {"description": "a text, a list of texts, a list of token ids, or a list of such lists"},
   "encoding_format": {"enum": ["float", "base64", null]}, "dimensions": {"type": ["integer", "null"], "minimum": 1}
  },
  "required": ["input"]
 },
 "EmbeddingList": {
  "type": "object",
  "properties": {
   "object": {"const": "list"},
   "data": {
    "type": "array",
    "items": {
     "type": "object",
     "properties": {
      "object": {"const": "embedding"}, "index": {"type": "integer"},
      "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]}
     },
     "required": ["object", "index", "embedding"]
    }
   },
   "model": {"type": "string"},
   "usage": {
    "type": "object", "properties": {"prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}},
    "required": ["prompt_tokens", "total_tokens"]
   }
  },
  "required": ["object", "data", "model", "usage"]
 },
 "TokenizeRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]}, "content": {"type": "string"},
   "add_special": {"type": ["boolean", "null"]}, "parse_special": {"type": ["boolean", "null"]},
   "with_pieces": {"type": ["boolean", "null"]}
  },
  "required": ["content"]
 },
 "Tokens": {
  "type": "object",
  "properties": {"tokens": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "object"}]}}},
  "required": ["tokens"]
 },
 "DetokenizeRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]}, "tokens": {"type": "array", "items": {"type": "integer", "minimum": 0}}
  },
  "required": ["tokens"]
 },
 "Content": {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]},
 "Prompt": {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]},
 "ModelName": {"type": "object", "properties": {"model": {"type": ["string", "null"]}}},
 "Model": {
  "type": "object",
  "properties": {
   "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"},
   "owned_by": {"type": "string"}
  },
  "required": ["id", "object"]
 },
 "ModelList": {
  "type": "object",
  "properties": {
   "object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
  },
  "required": ["object", "data"]
 },
 "LoadAnswer": {
  "type": "object",
  "properties": {
   "success": {"type": "boolean"}, "message": {"type": "string"}, "model_name": {"type": ["string", "null"]},
   "loaded": {"type": "boolean"}
  },
  "required": ["success", "message", "model_name", "loaded"]
 },
 "LoadedModels": {
  "type": "object",
  "properties": {
   "loaded": {"type": "boolean"}, "model_name": {"type": ["string", "null"]},
   "models": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["loaded", "model_name", "models"]
 },
 "AvailableModels": {
  "type": "object",
  "properties": {
   "models": {"type": "array", "items": {"type": "object"}}, "total": {"type": "integer"},
   "loaded_model": {"type": ["string", "null"]}
  },
  "required": ["models", "total", "loaded_model"]
 },
 "CacheRequest": {
  "type": "object",
  "properties": {
   "cache_name": {"type": "string"}, "prompt": {"type": ["string", "null"]}, "content": {"type": ["string", "null"]},
   "messages": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Message"}},
   "tools": {"type": ["array", "null"], "items": {"type": "object"}}, "parent": {"type": ["string", "null"]},
   "format": {"enum": ["both", "chat", "raw", null]}, "overwrite": {"type": ["boolean", "null"]},
   "retry_binary": {"type": ["boolean", "null"]}, "pinned": {"type": ["boolean", "null"]},
   "ttl": {"type": ["number", "null"]}, "stream": {"type": ["boolean", "null"]}
  },
  "required": ["cache_name"], "description": "Exactly one of prompt, content and messages, or tools alone."
 },
 "StateRequest": {
  "type": "object",
  "properties": {
   "cache_name": {"type": "string"}, "prompt": {"type": ["string", "null"]},
   "retry_binary": {"type": ["boolean", "null"]}, "stream": {"type": ["boolean", "null"]}
  },
  "required": ["cache_name"]
 },
 "CacheCreated": {
  "type": "object",
  "properties": {
   "object": {"enum": ["cache.created", "binary_cache.created"]}, "model": {"type": "string"},
   "cache_name": {"type": "string"}, "size_mb": {"type": "number"}, "ttft_ms": {"type": "number"},
   "message": {"type": "string"}, "binary": {"type": "boolean"}, "warning": {"type": "string"}
  },
  "required": ["object", "model", "cache_name", "size_mb", "message"]
 },
 "Cache": {
  "type": "object",
  "properties": {
   "cache_name": {"type": "string"}, "model_name": {"type": "string"}, "content_length": {"type": "integer"},
   "has_text": {"type": "boolean"}, "has_binary": {"type": "boolean"},
   "binary": {"type": "array", "items": {"type": "object"}}, "content": {"type": ["string", "null"]}
  },
  "required": ["cache_name", "model_name", "has_text", "has_binary", "binary"]
 },
 "CacheList": {
  "type": "object",
  "properties": {
   "object": {"const": "list"}, "model": {"type": "string"},
   "data": {"type": "array", "items": {"$ref": "#/components/schemas/Cache"}}, "count": {"type": "integer"},
   "timestamp": {"type": "number"}, "stats": {"type": "object"}
  },
  "required": ["object", "model", "data", "count"]
 },
 "CacheLists": {
  "type": "object",
  "properties": {
   "object": {"const": "list"},
   "data": {
    "type": "object", "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Cache"}}
   },
   "timestamp": {"type": "number"}, "stats": {"type": "object"}
  },
  "required": ["object", "data"]
 },
 "CacheDeleted": {
  "type": "object",
  "properties": {
   "object": {"const": "cache.deleted"}, "model": {"type": "string"}, "cache_name": {"type": "string"},
   "deleted": {"type": "boolean"}
  },
  "required": ["object", "model", "cache_name", "deleted"]
 },
 "CacheImported": {
  "type": "object",
  "properties": {
   "object": {"const": "cache.imported"}, "model": {"type": "string"}, "cache_name": {"type": "string"},
   "text": {"type": "boolean"}, "states": {"type": "array", "items": {"type": "object"}},
   "parents": {"type": "array", "items": {"type": "string"}}, "message": {"type": "string"}
  },
  "required": ["object", "model", "cache_name"]
 },
 "Health": {
  "type": "object",
  "properties": {"status": {"const": "ok"}, "models": {"type": "object"}, "startup_caches": {"type": "object"}},
  "required": ["status", "models"]
 },
 "Readiness": {
  "type": "object",
  "properties": {"ready": {"type": "boolean"}, "models": {"type": "object"}, "startup_caches": {"type": "object"}},
  "required": ["ready", "models"]
 },
 "Document": {"type": "object"}
})json";
}

}  // namespace rockllama::api
