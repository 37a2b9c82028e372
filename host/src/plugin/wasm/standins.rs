//! Stand-ins for the imports that a language's runtime leaves in a component: deterministic, or a trap that says what to use instead.
//!
//! Not here: anything a plugin can get work done with; what it needs from outside it asks for in its steps.

use super::engine::wasmtime_error;
use super::state::{HostState, Refusal};
use crate::limits;
use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};

const FILES: &str = "knowhost:plugin/files@0.1.0";

/// Streams, pollables and the like: the guest only holds their handles.
struct Handle;

/// 2020-01-01, in seconds: the same for every call, so that a call can be run again with the same result.
const WALL_CLOCK_SECONDS: u64 = 1_577_836_800;
const SEED: (u64, u64) = (0x6b6e_6f77_686f_7374, 0x706c_7567_696e_2031);
const RANDOM_BYTES_MAX: usize = 4096;
const WRITE_BYTES: u64 = 4096;

/// Defines everything that `component` imports.
pub(super) fn define(linker: &mut Linker<HostState>, component: &Component) -> anyhow::Result<()> {
    let engine = component.engine().clone();
    let ty = component.component_type();
    for (name, import) in ty.imports(&engine) {
        match import.ty {
            ComponentItem::ComponentInstance(instance) => {
                if is_foreign_interface(name) {
                    anyhow::bail!("it imports {name}, which this server does not have");
                }
                if name == FILES {
                    define_files(linker)?;
                    continue;
                }
                let mut linker_instance = linker.instance(name).map_err(wasmtime_error)?;
                for (item, export) in instance.exports(&engine) {
                    match export.ty {
                        ComponentItem::ComponentFunc(_) => define_function(&mut linker_instance, name, item)?,
                        ComponentItem::Resource(_) => {
                            linker_instance.resource(item, ResourceType::host::<Handle>(), |_, _| Ok(())).map_err(wasmtime_error)?;
                        }
                        ComponentItem::Type(_)
                        | ComponentItem::CoreFunc(_)
                        | ComponentItem::Module(_)
                        | ComponentItem::Component(_)
                        | ComponentItem::ComponentInstance(_) => {}
                    }
                }
            }
            ComponentItem::ComponentFunc(_) => define_function(&mut linker.root(), "", name)?,
            ComponentItem::Resource(_) => {
                linker.root().resource(name, ResourceType::host::<Handle>(), |_, _| Ok(())).map_err(wasmtime_error)?;
            }
            ComponentItem::Type(_) => {}
            ComponentItem::CoreFunc(_) | ComponentItem::Module(_) | ComponentItem::Component(_) => {
                anyhow::bail!("it imports {name}, a thing that no host of this interface offers");
            }
        }
    }
    Ok(())
}

/// Of our own package only `io` is imported, and only for its types, and the files for the warm-up.
fn is_foreign_interface(name: &str) -> bool {
    name.starts_with("knowhost:") && name != "knowhost:plugin/io@0.1.0" && name != FILES
}

/// The one import that gives a plugin something, while it warms up; later and for other names it traps.
fn define_files(linker: &mut Linker<HostState>) -> anyhow::Result<()> {
    let mut files = linker.instance(FILES).map_err(wasmtime_error)?;
    files
        .func_wrap("size", |store: StoreContextMut<'_, HostState>, (name,): (String,)| Ok((store.data().file(&name)?.len() as u64,)))
        .map_err(wasmtime_error)?;
    files
        .func_wrap("read", |store: StoreContextMut<'_, HostState>, (name, offset, length): (String, u64, u32)| {
            let bytes = store.data().file(&name)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let length = (length as usize).min(limits::PLUGIN_FILE_PIECE_BYTES_MAX).min(bytes.len() - start);
            Ok((bytes[start..start + length].to_vec(),))
        })
        .map_err(wasmtime_error)
}

type Answer = fn(&mut StoreContextMut<'_, HostState>, &[Val]) -> wasmtime::Result<Option<Val>>;

fn define_function(linker: &mut LinkerInstance<'_, HostState>, interface: &str, function: &str) -> anyhow::Result<()> {
    let unversioned = interface.split('@').next().unwrap_or(interface);
    let full_name = if unversioned.is_empty() { function.to_owned() } else { format!("{unversioned}.{function}") };
    let defined = match answer(unversioned, function) {
        Some(answer) => linker.func_new(function, move |mut store, _ty, parameters, results| {
            if let (Some(result), Some(slot)) = (answer(&mut store, parameters)?, results.first_mut()) {
                *slot = result;
            }
            // A borrowed handle has to be given back before the call returns.
            for parameter in parameters {
                if let Val::Resource(handle) = parameter
                    && !handle.owned()
                {
                    handle.resource_drop(&mut store)?;
                }
            }
            Ok(())
        }),
        None => linker.func_new(function, move |_store, _ty, _parameters, _results| Err(Refusal(refusal(&full_name)).into())),
    };
    defined.map_err(wasmtime_error)
}

fn answer(interface: &str, function: &str) -> Option<Answer> {
    Some(match (interface, function) {
        ("wasi:cli/environment", "get-environment" | "get-arguments") | ("wasi:filesystem/preopens", "get-directories") => {
            |_, _| Ok(Some(Val::List(Vec::new())))
        }
        ("wasi:cli/environment", "initial-cwd")
        | ("wasi:cli/terminal-stdin", "get-terminal-stdin")
        | ("wasi:cli/terminal-stdout", "get-terminal-stdout")
        | ("wasi:cli/terminal-stderr", "get-terminal-stderr") => |_, _| Ok(Some(Val::Option(None))),
        ("wasi:cli/stdin", "get-stdin") | ("wasi:cli/stdout", "get-stdout") | ("wasi:cli/stderr", "get-stderr") => {
            |store, _| Ok(Some(Val::Resource(Resource::<Handle>::new_own(0).try_into_resource_any(store)?)))
        }
        // A language's library takes the handle before it writes; waiting on it is what traps.
        ("wasi:io/streams", "[method]output-stream.subscribe" | "[method]input-stream.subscribe") => {
            |store, _| Ok(Some(Val::Resource(Resource::<Handle>::new_own(0).try_into_resource_any(store)?)))
        }
        ("wasi:io/streams", "[method]output-stream.check-write") => |_, _| Ok(Some(Val::Result(Ok(Some(Box::new(Val::U64(WRITE_BYTES))))))),
        ("wasi:io/streams", "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush") => |store, parameters| {
            if let Some(Val::List(bytes)) = parameters.get(1) {
                let bytes: Vec<u8> = bytes.iter().filter_map(|byte| if let Val::U8(byte) = byte { Some(*byte) } else { None }).collect();
                store.data_mut().write(&bytes);
            }
            Ok(Some(Val::Result(Ok(None))))
        },
        ("wasi:io/streams", "[method]output-stream.flush" | "[method]output-stream.blocking-flush") => {
            |_, _| Ok(Some(Val::Result(Ok(None))))
        }
        ("wasi:io/streams", "[method]input-stream.read" | "[method]input-stream.blocking-read") => {
            |_, _| Ok(Some(Val::Result(Err(Some(Box::new(Val::Variant("closed".into(), None)))))))
        }
        ("wasi:clocks/monotonic-clock", "now") => |_, _| Ok(Some(Val::U64(0))),
        ("wasi:clocks/monotonic-clock", "resolution") => |_, _| Ok(Some(Val::U64(1))),
        ("wasi:clocks/wall-clock", "now") => |_, _| Ok(Some(datetime(WALL_CLOCK_SECONDS))),
        ("wasi:clocks/wall-clock", "resolution") => |_, _| Ok(Some(datetime(1))),
        ("wasi:random/insecure-seed", "insecure-seed" | "get-insecure-seed") => {
            |_, _| Ok(Some(Val::Tuple(vec![Val::U64(SEED.0), Val::U64(SEED.1)])))
        }
        ("wasi:random/insecure", "get-insecure-random-u64") | ("wasi:random/random", "get-random-u64") => |_, _| Ok(Some(Val::U64(SEED.0))),
        // Runtimes key their hash tables with it when they wake up, so there has to be an answer.
        ("wasi:random/random", "get-random-bytes") | ("wasi:random/insecure", "get-insecure-random-bytes") => |_, parameters| {
            let wanted = if let Some(Val::U64(wanted)) = parameters.first() { *wanted } else { 0 };
            match usize::try_from(wanted).ok().filter(|wanted| *wanted <= RANDOM_BYTES_MAX) {
                Some(wanted) => Ok(Some(Val::List(seed_bytes().take(wanted).map(Val::U8).collect()))),
                None => Err(Refusal(format!(
                    "it asked for {wanted} random bytes; plugins are deterministic and get {RANDOM_BYTES_MAX} at most"
                ))
                .into()),
            }
        },
        _ => return None,
    })
}

/// The same bytes for every call: a call that is run again in another instance must not see others.
fn seed_bytes() -> impl Iterator<Item = u8> {
    let seed: Vec<u8> = SEED.0.to_le_bytes().into_iter().chain(SEED.1.to_le_bytes()).collect();
    seed.into_iter().cycle()
}

fn datetime(seconds: u64) -> Val {
    Val::Record(vec![("seconds".into(), Val::U64(seconds)), ("nanoseconds".into(), Val::U32(0))])
}

/// What a trap says; names the call and what a plugin does instead.
fn refusal(full_name: &str) -> String {
    if full_name.starts_with("wasi:io/poll") || full_name.contains("subscribe") || full_name.contains("blocking") {
        format!("plugins never block, but it called {full_name}; wait with the SDK's sleep, or ask for an exchange with its http")
    } else if full_name.starts_with("wasi:cli/exit") {
        format!("it ended itself ({full_name}); a plugin answers with an error instead")
    } else if full_name.starts_with("wasi:sockets") || full_name.starts_with("wasi:http") {
        format!("plugins have no network of their own, but it called {full_name}; ask for an exchange with the SDK's http")
    } else if full_name.starts_with("wasi:filesystem") {
        format!("plugins have no files, but it called {full_name}; put data into the component, or use the SDK's cache")
    } else if full_name.starts_with("wasi:random") {
        format!("plugins are deterministic, but it called {full_name}; take randomness from the request")
    } else {
        format!("it called {full_name}, which plugins do not have")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_and_polling_are_refused_with_what_to_use_instead() {
        for name in ["wasi:clocks/monotonic-clock.subscribe-duration", "wasi:io/poll.poll", "wasi:io/poll.[method]pollable.block"] {
            let text = refusal(name);
            assert!(text.contains("plugins never block") && text.contains("sleep") && text.contains(name), "{text}");
        }
        assert!(answer("wasi:io/poll", "poll").is_none());
        assert!(answer("wasi:clocks/monotonic-clock", "subscribe-duration").is_none());
    }

    #[test]
    fn random_bytes_are_the_same_every_time() {
        assert_eq!(seed_bytes().take(100).collect::<Vec<u8>>(), seed_bytes().take(100).collect::<Vec<u8>>());
        assert!(answer("wasi:random/random", "get-random-bytes").is_some());
        assert!(refusal("wasi:random/other.bytes").contains("take randomness from the request"));
    }

    #[test]
    fn other_interfaces_of_our_own_are_not_papered_over() {
        assert!(is_foreign_interface("knowhost:plugin/io@0.2.0"));
        assert!(!is_foreign_interface("knowhost:plugin/io@0.1.0"));
        assert!(!is_foreign_interface("wasi:cli/stderr@0.2.6"));
    }
}
