// The page at /docs: reads /openapi.json and shows what is there. Texts are set as text, never as HTML.
#include "api/openapi.h"

namespace rockllama::api {

std::string_view openapi_page() {
  return R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>RockchipLlama API</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color-scheme: light dark; }
summary { cursor: pointer; padding: .3em 0; }
code, pre { font-family: monospace; }
pre { overflow: auto; padding: .7em; border: 1px solid gray; border-radius: 4px; }
.method { display: inline-block; width: 5em; font-weight: bold; text-transform: uppercase; }
</style>
</head>
<body>
<h1>RockchipLlama API</h1>
<p>From <a href="openapi.json">openapi.json</a>.</p>
<main></main>
<script>
function add(parent, tag, text) {
  const element = parent.appendChild(document.createElement(tag));
  if (text) element.textContent = text;
  return element;
}
function schemaOf(body, schemas) {
  const content = body && body.content && body.content["application/json"];
  const name = content && content.schema.$ref && content.schema.$ref.split("/").pop();
  return name ? [name, schemas[name]] : null;
}
function show(parent, title, found) {
  if (!found) return;
  add(parent, "h4", title + ": " + found[0]);
  add(parent, "pre", JSON.stringify(found[1], null, 2));
}
function section(parent, path, method, operation, spec) {
  const details = add(parent, "details");
  const summary = add(details, "summary");
  add(summary, "span", method).className = "method";
  add(summary, "code", path);
  add(summary, "span", " " + operation.summary);
  for (const one of operation.parameters || []) add(details, "p", one.in + " parameter: " + one.name);
  show(details, "Request", schemaOf(operation.requestBody, spec.components.schemas));
  show(details, "Answer", schemaOf(operation.responses["200"], spec.components.schemas));
  add(details, "p", "Statuses: " + Object.keys(operation.responses).join(", "));
}
fetch("openapi.json").then((answer) => answer.json()).then((spec) => {
  const main = document.querySelector("main");
  const parts = {};
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!parts[tag]) {
        parts[tag] = add(main, "section");
        add(parts[tag], "h2", tag);
      }
      section(parts[tag], path, method, operation, spec);
    }
  }
});
</script>
</body>
</html>
)html";
}

}  // namespace rockllama::api
