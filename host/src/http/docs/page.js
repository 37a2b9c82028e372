"use strict";
// Draws openapi.json. Texts go in as text nodes, never as HTML.
const DEPTH_MAX = 6;
const METHODS = ["get", "post", "put", "delete"];
let api;

function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function resolve(value) {
  for (let hops = 0; value && value.$ref && hops < 9; hops++) {
    const target = value.$ref.slice(2).split("/").reduce((at, key) => at && at[key], api);
    value = { ...target, ...(value.description ? { description: value.description } : {}), shownName: value.$ref.split("/").pop() };
  }
  return value || {};
}

// `null or X` is drawn as X that may be null.
function unwrap(schema) {
  schema = resolve(schema);
  const parts = schema.oneOf;
  const other = parts && parts.length === 2 ? parts.filter((part) => part.type !== "null") : [];
  if (other.length === 1) return { ...resolve(other[0]), ...(schema.description ? { description: schema.description } : {}), mayBeNull: true };
  return schema;
}

function typeText(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.contentSchema) return "JSON text of " + typeText(unwrap(schema.contentSchema));
  const types = [].concat(schema.type || (schema.oneOf ? "one of" : schema.properties ? "object" : "anything"));
  const words = types.filter((type) => type !== "null").map((type) => {
    if (type === "array") return "list of " + typeText(unwrap(schema.items || {}));
    if (type === "object" && schema.shownName) return schema.shownName;
    return type;
  });
  if (schema.mayBeNull || types.includes("null")) words.push("null");
  const limits = [];
  if (schema.format && !/^(int64|int32|double|float)$/.test(schema.format)) limits.push(schema.format);
  if (schema.enum) limits.push(schema.enum.join(" | "));
  for (const [key, sign] of [["minLength", "at least %"], ["maxLength", "at most %"], ["minimum", "≥ %"], ["maximum", "≤ %"]])
    if (schema[key] !== undefined) limits.push(sign.replace("%", schema[key]));
  return words.join(" or ") + (limits.length ? " (" + limits.join(", ") + ")" : "");
}

function drawSchema(schema, seen = []) {
  schema = unwrap(schema);
  const name = schema.shownName;
  if (schema.contentSchema) return drawSchema(schema.contentSchema, seen);
  if ([].concat(schema.type || []).includes("array")) return drawSchema(schema.items || {}, seen);
  if (schema.oneOf) return el("div", {}, ...schema.oneOf.map((part) => el("div", {}, "– " + typeText(unwrap(part)), drawSchema(part, seen) || "")));
  if (!schema.properties || seen.length > DEPTH_MAX || (name && seen.includes(name))) return null;
  const list = el("dl");
  for (const [key, raw] of Object.entries(schema.properties)) {
    const property = unwrap(raw);
    const must = (schema.required || []).includes(key);
    const example = property.example === undefined ? "" : " e.g. " + JSON.stringify(property.example);
    list.append(
      el("dt", {}, el("code", {}, key), " ", el("span", { class: "dim" }, typeText(property) + (must ? "" : ", may be left out"))),
      el("dd", {}, (property.description || "") + example, drawSchema(property, name ? [...seen, name] : seen)),
    );
  }
  return list;
}

function exampleOf(schema, depth = 0) {
  schema = unwrap(schema);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const type = [].concat(schema.type || "object")[0];
  if (type === "array" || type === "boolean") return type === "array" ? [] : false;
  if (type === "integer" || type === "number") return schema.minimum || 0;
  if (type === "string") return "…";
  const made = {};
  const shown = Object.keys(schema.properties || {}).filter((key) => (schema.required || []).includes(key) || unwrap(schema.properties[key]).example !== undefined);
  if (depth < 3) for (const key of shown) made[key] = exampleOf(schema.properties[key], depth + 1);
  return made;
}

function quote(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

function curlLine(path, method, operation) {
  const open = operation.security && operation.security.length === 0;
  const token = operation.security && operation.security.length && operation.security[0].bearer;
  const query = (operation.parameters || []).map(resolve).filter((parameter) => parameter.in === "query" && parameter.required);
  const url = location.href.replace(/docs\/?([?#].*)?$/, "").replace(/\/$/, "") + path + (query.length ? "?" + query.map((parameter) => parameter.name + "=…").join("&") : "");
  const words = ["curl"];
  if (method !== "get") words.push("-X", method.toUpperCase());
  if (!open) words.push("-H", token ? '"Authorization: Bearer $TOKEN"' : '"X-API-Key: $KEY"');
  const content = (resolve(operation.requestBody).content || {});
  if (content["application/json"]) {
    if (method === "get") words.push("-X", "GET");
    words.push("-H", quote("Content-Type: application/json"), "-d", quote(JSON.stringify(exampleOf(content["application/json"].schema))));
  }
  if (content["multipart/form-data"]) words.push("-F", "file=@document.pdf");
  if (Object.keys((resolve(operation.responses["200"]).content) || {}).includes("text/event-stream")) words.push("-N");
  return words.concat(quote(url)).join(" ");
}

function drawCurl(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without HTTPS there may be no clipboard: select the line instead.
      getSelection().selectAllChildren(button.previousSibling);
      button.textContent = "Selected";
    }
  });
  return el("div", { class: "curl" }, el("pre", {}, text), button);
}

function drawBody(title, content) {
  const parts = Object.entries(content || {}).map(([type, media]) => {
    const schema = unwrap(media.schema || {});
    return el("div", {}, el("span", { class: "dim" }, type + ": " + typeText(schema)), el("div", {}, schema.description || ""), drawSchema(media.schema || {}));
  });
  return parts.length ? el("div", {}, title ? el("h3", {}, title) : "", ...parts) : null;
}

function drawOperation(path, method, operation) {
  const inside = el("div");
  if (operation.description) inside.append(el("p", {}, operation.description));
  inside.append(drawCurl(curlLine(path, method, operation)));
  const parameters = (operation.parameters || []).map(resolve);
  if (parameters.length) {
    const list = el("dl");
    for (const parameter of parameters) {
      const note = parameter.in + ", " + typeText(unwrap(parameter.schema || {})) + (parameter.required ? "" : ", may be left out");
      list.append(el("dt", {}, el("code", {}, parameter.name), " ", el("span", { class: "dim" }, note)), el("dd", {}, parameter.description || ""));
    }
    inside.append(el("h3", {}, "Parameters"), list);
  }
  const body = resolve(operation.requestBody);
  inside.append(drawBody(body.required === false ? "Body (may be left out)" : "Body", body.content) || "");
  inside.append(el("h3", {}, "Answers"));
  for (const [status, raw] of Object.entries(operation.responses)) {
    const response = resolve(raw);
    const drawn = drawBody("", response.content);
    const line = el("summary", {}, el("code", {}, status), el("span", {}, response.description || ""));
    inside.append(el("details", {}, line, drawn || el("div", {}, "No body.")));
  }
  const id = method + path.replace(/[^A-Za-z0-9]+/g, "-");
  const head = el("summary", {}, el("span", { class: "method " + method }, method), el("span", { class: "path" }, path), el("span", { class: "what" }, operation.summary || ""));
  const drawn = el("details", { class: "operation", id }, head);
  // Drawn when it is opened: the page stays quick on a phone.
  drawn.addEventListener("toggle", () => drawn.open && !inside.isConnected && drawn.append(inside));
  drawn.dataset.words = (method + " " + path + " " + (operation.summary || "")).toLowerCase();
  return drawn;
}

function draw() {
  document.getElementById("about").textContent = api.info.description + " Version " + api.info.version + ".";
  const main = document.getElementById("operations");
  for (const tag of api.tags) {
    const section = el("section", { "aria-labelledby": "tag-" + tag.name }, el("h2", { id: "tag-" + tag.name }, tag.name), el("p", { class: "dim" }, tag.description || ""));
    for (const [path, methods] of Object.entries(api.paths))
      for (const method of METHODS)
        if (methods[method] && (methods[method].tags || []).includes(tag.name)) section.append(drawOperation(path, method, methods[method]));
    main.append(section);
    document.getElementById("tags").append(el("a", { href: "#tag-" + tag.name }, tag.name));
  }
  const filter = document.getElementById("filter");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const operation of document.querySelectorAll(".operation")) {
      operation.hidden = !words.every((word) => operation.dataset.words.includes(word));
      shown += operation.hidden ? 0 : 1;
    }
    for (const section of main.children) section.hidden = !section.querySelector(".operation:not([hidden])");
    document.getElementById("count").textContent = shown + " operations";
  };
  filter.addEventListener("input", apply);
  apply();
  const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named) {
    if (named.tagName === "DETAILS") named.open = true;
    named.scrollIntoView();
  }
}

fetch("api/v1/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("status " + answer.status))))
  .then((described) => {
    api = described;
    draw();
  })
  .catch((error) => {
    document.getElementById("about").textContent = "The description could not be loaded: " + error.message;
  });
