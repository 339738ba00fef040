// The OpenAPI document: what goes in. docs/api.md says what the fields mean.
#include "api/openapi.h"

namespace rockllama::api {

std::string_view openapi_generation_fields() {
  return R"json({
 "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 16},
 "model": {"type": ["string", "null"], "description": "a model's folder name, or name@cache"},
 "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
 "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
 "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
 "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 2147483647},
 "repeat_penalty": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 2},
 "repetition_penalty": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 2},
 "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
 "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
 "mirostat": {"type": ["integer", "null"], "minimum": 0, "maximum": 2},
 "mirostat_tau": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
 "mirostat_eta": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
 "seed": {"type": ["integer", "null"]},
 "max_tokens": {"$ref": "#/components/schemas/TokenLimit", "description": "-1 = up to the context limit"},
 "max_completion_tokens": {"$ref": "#/components/schemas/TokenLimit"},
 "stop": {
  "anyOf": [
   {"type": "string", "minLength": 1}, {"type": "null"},
   {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 16}
  ]
 },
 "logit_bias": {
  "type": ["object", "null"], "propertyNames": {"pattern": "^[0-9]{1,9}$"},
  "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}
 },
 "stream": {"type": ["boolean", "null"]},
 "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}},
 "use_cache": {
  "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}],
  "description": "name of a prompt cache, or a list of which the longest that fits serves"
 },
 "cache_prompt": {"enum": [true, false, "exact", null]},
 "service_tier": {"enum": ["auto", "default", "flex", "scale", "priority", null]},
 "prompt_cache_key": {"type": ["string", "null"], "maxLength": 256},
 "prompt_cache_retention": {"enum": ["in_memory", "in-memory", "24h", null]},
 "store": {"type": ["boolean", "null"]},
 "metadata": {"type": ["object", "null"]},
 "user": {"type": ["string", "object", "null"]},
 "safety_identifier": {"type": ["string", "null"]},
 "prediction": {
  "type": ["object", "null"],
  "properties": {"type": {"const": "content"}, "content": {"$ref": "#/components/schemas/Text"}},
  "required": ["type", "content"]
 },
 "verbosity": {"enum": ["low", "medium", "high", null]},
 "modalities": {"type": ["array", "null"], "items": {"const": "text"}}
})json";
}

std::string_view openapi_request_schemas() {
  return R"json({
 "Message": {
  "anyOf": [
   {
    "type": "object",
    "properties": {
     "role": {"enum": ["system", "developer", "user", "tool"]}, "content": {"$ref": "#/components/schemas/Text"},
     "name": {"type": ["string", "null"]}, "tool_call_id": {"type": ["string", "null"]}
    },
    "required": ["role", "content"]
   },
   {
    "type": "object",
    "properties": {
     "role": {"const": "assistant"}, "content": {"anyOf": [{"$ref": "#/components/schemas/Text"}, {"type": "null"}]},
     "name": {"type": ["string", "null"]}, "reasoning_content": {"type": ["string", "null"]},
     "tool_calls": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/ToolCall"}}
    },
    "required": ["role"]
   }
  ]
 },
 "Text": {
  "anyOf": [
   {"type": "string"},
   {
    "type": "array", "minItems": 1,
    "items": {
     "type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
     "required": ["type", "text"]
    }
   }
  ]
 },
 "ToolCall": {
  "type": "object",
  "properties": {
   "id": {"type": ["string", "null"]}, "type": {"const": "function"},
   "function": {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "arguments": {"type": "string", "description": "JSON"}},
    "required": ["name", "arguments"]
   }
  },
  "required": ["function"]
 },
 "Function": {
  "type": "object",
  "properties": {
   "name": {"type": "string", "minLength": 1}, "description": {"type": ["string", "null"]},
   "parameters": {"type": ["object", "null"], "description": "a JSON schema"}, "strict": {"type": ["boolean", "null"]}
  },
  "required": ["name"]
 },
 "Tool": {
  "type": "object",
  "properties": {"type": {"const": "function"}, "function": {"$ref": "#/components/schemas/Function"}},
  "required": ["type", "function"]
 },
 "ToolChoice": {
  "anyOf": [{"enum": ["auto", "none", "required", null]}, {"type": "object", "description": "one function"}]
 },
 "AnswerFormat": {
  "type": ["object", "null"], "properties": {"type": {"enum": ["text", "json_object", "json_schema"]}},
  "required": ["type"]
 },
 "TokenLimit": {"anyOf": [{"const": -1}, {"type": "integer", "minimum": 1, "maximum": 2147483647}, {"type": "null"}]},
 "TextOrTokens": {
  "anyOf": [
   {"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1},
   {"$ref": "#/components/schemas/TokenIds"},
   {"type": "array", "items": {"$ref": "#/components/schemas/TokenIds"}, "minItems": 1}
  ]
 },
 "TokenIds": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}, "minItems": 1},
 "ChatRequest": {
  "type": "object",
  "properties": {
   "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}, "minItems": 1},
   "tools": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}},
   "tool_choice": {"$ref": "#/components/schemas/ToolChoice"}, "parallel_tool_calls": {"type": ["boolean", "null"]},
   "response_format": {"$ref": "#/components/schemas/AnswerFormat"}, "logprobs": {"type": ["boolean", "null"]},
   "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
   "reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", null]},
   "enable_thinking": {"type": ["boolean", "null"]}, "chat_template_kwargs": {"type": ["object", "null"]}
  },
  "required": ["messages"], "description": "docs/api.md says what each field does."
 },
 "CompletionRequest": {
  "type": "object",
  "properties": {
   "prompt": {"$ref": "#/components/schemas/TextOrTokens"}, "echo": {"type": ["boolean", "null"]},
   "suffix": {"type": ["string", "null"]}, "best_of": {"type": ["integer", "null"], "minimum": 1, "maximum": 20},
   "logprobs": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 20}, {"enum": [false, null]}]}
  },
  "required": ["prompt"]
 },
 "ResponseRequest": {
  "type": "object",
  "properties": {
   "input": {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/InputItem"}, "minItems": 1}]
   },
   "instructions": {"type": ["string", "null"]}, "previous_response_id": {"type": ["string", "null"]},
   "tools": {"type": ["array", "null"], "items": {"type": "object"}},
   "tool_choice": {"$ref": "#/components/schemas/ToolChoice"}, "parallel_tool_calls": {"type": ["boolean", "null"]},
   "text": {"type": ["object", "null"]}, "reasoning": {"type": ["object", "null"]},
   "include": {"type": ["array", "null"], "items": {"type": "string"}},
   "max_output_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 2147483647},
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
 "EmbeddingsRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]}, "input": {"$ref": "#/components/schemas/TextOrTokens"},
   "encoding_format": {"enum": ["float", "base64", null]}, "dimensions": {"type": ["integer", "null"], "minimum": 1}
  },
  "required": ["input"]
 },
 "TokenizeRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]}, "content": {"type": "string"}, "add_special": {"type": ["boolean", "null"]},
   "parse_special": {"type": ["boolean", "null"]}, "with_pieces": {"type": ["boolean", "null"]}
  },
  "required": ["content"]
 },
 "DetokenizeRequest": {
  "type": "object",
  "properties": {
   "model": {"type": ["string", "null"]},
   "tokens": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}}
  },
  "required": ["tokens"]
 },
 "ModelName": {"type": "object", "properties": {"model": {"type": ["string", "null"]}}},
 "CacheRequest": {
  "type": "object",
  "properties": {
   "cache_name": {"type": "string"}, "prompt": {"type": ["string", "null"]}, "content": {"type": ["string", "null"]},
   "messages": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Message"}},
   "tools": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}},
   "parent": {"type": ["string", "null"]}, "format": {"enum": ["both", "chat", "raw", null]},
   "overwrite": {"type": ["boolean", "null"]}, "retry_binary": {"type": ["boolean", "null"]},
   "pinned": {"type": ["boolean", "null"]}, "ttl": {"type": ["number", "null"]},
   "stream": {"type": ["boolean", "null"]}
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
 }
})json";
}

}  // namespace rockllama::api
