// The OpenAPI document: what comes out. docs/api.md says what the fields mean.
#include "api/openapi.h"

namespace rockllama::api {

std::string_view openapi_answer_schemas() {
  return R"json({
 "Event": {
  "type": "object", "description": "one of the server-sent events",
  "properties": {"event": {"type": "string"}, "data": {"type": "string"}}, "required": ["data"]
 },
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
   "choices": {"type": "array", "items": {"type": "object"}}, "usage": {"$ref": "#/components/schemas/Usage"},
   "warnings": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["id", "object", "created", "model", "choices", "usage"]
 },
 "TextCompletion": {
  "type": "object",
  "properties": {
   "id": {"type": "string"}, "object": {"const": "text_completion"}, "created": {"type": "integer"},
   "model": {"type": "string"}, "system_fingerprint": {"type": "string"}, "service_tier": {"type": "string"},
   "choices": {"type": "array", "items": {"type": "object"}}, "usage": {"$ref": "#/components/schemas/Usage"},
   "warnings": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["id", "object", "created", "model", "choices", "usage"]
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
  "type": "object", "properties": {"object": {"const": "response.input_tokens"}, "input_tokens": {"type": "integer"}},
  "required": ["object", "input_tokens"]
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
 "Tokens": {
  "type": "object",
  "properties": {"tokens": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "object"}]}}},
  "required": ["tokens"]
 },
 "Content": {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]},
 "Prompt": {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]},
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
