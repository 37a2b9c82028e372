#!/usr/bin/env node
// Builds a plugin written in JavaScript: `build.mjs FOLDER [-o OUT]`. Needs componentize-qjs, from npm.
//
// Not here: checks of the manifest. The server makes them when it reads the component.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const COMPONENTIZE = "0.4.5";
const SDK = path.dirname(fileURLToPath(import.meta.url));
// In the folder that `knowhost plugin new` made the interface lies in the SDK itself.
const WIT = path.join(existsSync(path.join(SDK, "wit")) ? SDK : path.dirname(SDK), "wit", "v0.1");
const SECTION = "knowhost:manifest";
// Name of the export -> interface.
const KINDS = { embedder: "embedder", reranker: "reranker", chatModel: "chat-model", catalogue: "catalogue", tokenizer: "tokenizer" };

class BuildError extends Error {}

function componentizeQjs(folder) {
  for (const place of [folder, SDK, process.cwd()]) {
    const modules = path.join(place, "node_modules", "componentize-qjs");
    if (!existsSync(modules)) continue;
    const { version, bin } = JSON.parse(readFileSync(path.join(modules, "package.json"), "utf8"));
    if (version !== COMPONENTIZE) throw new BuildError(`${modules} is version ${version}, but this SDK needs ${COMPONENTIZE}`);
    return createRequire(path.join(modules, "package.json")).resolve(path.join(modules, typeof bin === "string" ? bin : bin["componentize-qjs"]));
  }
  throw new BuildError(`componentize-qjs is missing; get it with: npm install --prefix ${folder} componentize-qjs@${COMPONENTIZE}`);
}

/** Sources and SDK in one place, so that the plugin's imports mean the same here and in the component. */
function gather(folder, temporary) {
  const root = path.join(temporary, "sources");
  const isLeftOut = (source) => /(^|\/)(node_modules|\.[^/]+|[^/]+\.wasm)$/.test(path.relative(folder, source)) || realpathSync(source) === SDK;
  cpSync(folder, root, { recursive: true, filter: (source) => !isLeftOut(source) });
  const sdk = path.join(root, "node_modules", "knowhost-plugin");
  mkdirSync(sdk, { recursive: true });
  for (const file of ["package.json", "knowhost-plugin.js"]) cpSync(path.join(SDK, file), path.join(sdk, file));
  return root;
}

async function kindsOf(entry) {
  let found;
  try {
    found = Object.keys(await import(pathToFileURL(entry)));
  } catch (error) {
    throw new BuildError(`${path.basename(entry)} can not be imported: ${error.stack}`);
  }
  const kinds = Object.keys(KINDS).filter((name) => found.includes(name));
  if (found.includes("warm")) kinds.push("warm");
  if (!kinds.some((kind) => kind in KINDS)) {
    throw new BuildError(`${path.basename(entry)} exports no kind of plugin; export one of ${Object.keys(KINDS).join(", ")}`);
  }
  return kinds;
}

/** The interface with one more world: exactly what this plugin exports. */
function world(kinds, temporary) {
  const wit = path.join(temporary, "wit");
  cpSync(WIT, wit, { recursive: true });
  const exported = kinds.map((kind) => (kind === "warm" ? "  import files;\n  export warm: func();" : `  export ${KINDS[kind]};`));
  writeFileSync(path.join(wit, "component.wit"), `package knowhost:plugin@0.1.0;\n\nworld component {\n${exported.join("\n")}\n}\n`);
  return wit;
}

async function build(folder, entryName) {
  const tool = componentizeQjs(folder);
  const temporary = mkdtempSync(path.join(tmpdir(), "knowhost-"));
  try {
    const root = gather(folder, temporary);
    const entry = path.join(root, entryName);
    if (!existsSync(entry)) throw new BuildError(`${path.join(folder, entryName)} is missing; it holds the plugin`);
    const kinds = await kindsOf(entry);
    const out = path.join(temporary, "component.wasm");
    const options = ["--wit", world(kinds, temporary), "--world", "component", "--js", entry, "--module-root", root, "--sync", "-o", out];
    const done = spawnSync(process.execPath, [tool, ...options], { encoding: "utf8" });
    if (done.status !== 0 || !existsSync(out)) throw new BuildError(`componentize-qjs failed:\n${done.stdout}${done.stderr}`);
    return readFileSync(out);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function leb128(value) {
  const out = [];
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80);
  return Buffer.from([...out, value]);
}

/** The component with `toml` in its manifest section. */
export function withManifest(component, toml) {
  const body = Buffer.concat([leb128(SECTION.length), Buffer.from(SECTION), Buffer.from(toml)]);
  return Buffer.concat([component, Buffer.from([0]), leb128(body.length), body]);
}

function manifestOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BuildError(`${file}: ${error.code}; every plugin has one, see plugin-sdk/README.md`);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: "string", short: "o" },
      entry: { type: "string", default: "plugin.js" },
      "without-manifest": { type: "boolean", default: false },
    },
  });
  if (positionals.length !== 1) {
    throw new BuildError("usage: build.mjs FOLDER [-o OUT] [--entry plugin.js] [--without-manifest]");
  }
  const folder = path.resolve(positionals[0]);
  const out = values.out ?? path.join(folder, `${path.basename(folder)}.wasm`);
  const toml = values["without-manifest"] ? null : manifestOf(path.join(folder, "plugin.toml"));
  const component = await build(folder, values.entry);
  writeFileSync(out, toml === null ? component : withManifest(component, toml));
  console.log(`${out}: ${(statSync(out).size / 1e6).toFixed(1)} MB`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  main().catch((error) => {
    console.error(`build.mjs: ${error instanceof BuildError || error.code ? error.message : error.stack}`);
    process.exitCode = 1;
  });
}
