//! The native half of `export_plugin!(...; native)`: the table of a plugin, and where a library is built its symbol.
//!
//! Not here: what the table does (`native`). In a component nothing of this is compiled.

#[doc(hidden)]
#[macro_export]
macro_rules! __export_native {
    ($plugin:ty : $($kind:ident),+) => {
        /// This plugin in its native form: what a server that links it in is given.
        #[cfg(not(target_family = "wasm"))]
        #[allow(unreachable_pub, reason = "reached where the server links the plugin in")]
        pub static KNOWHOST_PLUGIN: $crate::native::Table = $crate::native::Table::of::<$plugin>();

        #[cfg(not(target_family = "wasm"))]
        #[allow(unsafe_code, reason = "a section of the library holds the manifest, so that it is read without running anything")]
        const _: () = {
            use $crate::native::kinds::{self, Serve, Served};

            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".knowhost.manifest"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__knowhost"))]
            static MANIFEST: [u8; include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml")).len()] =
                *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"));

            #[derive(Default)]
            pub struct Instance {
                $($kind: <kinds::$kind as Serve<$plugin>>::Calls,)+
            }

            impl $crate::native::serve::Native for $plugin {
                type Instance = Instance;
                const MANIFEST: &'static [u8] = &MANIFEST;
                const KINDS: u32 = 0 $(| match <kinds::$kind as Serve<$plugin>>::KIND {
                    Some(number) => 1 << number,
                    None => 0,
                })+;
                const TOKENIZES: bool = false $(|| <kinds::$kind as Serve<$plugin>>::TOKENIZES)+;
                const WARM: Option<fn()> = {
                    let mut warm: Option<fn()> = None;
                    $(if let Some(run) = <kinds::$kind as Serve<$plugin>>::WARM {
                        warm = Some(run);
                    })+
                    warm
                };

                fn instance() -> Instance {
                    Instance::default()
                }

                fn start(instance: &Instance, kind: u32, id: u64, request: &[u8]) -> Option<Served> {
                    $(if <kinds::$kind as Serve<$plugin>>::KIND == Some(kind) {
                        return Some(<kinds::$kind as Serve<$plugin>>::start(&instance.$kind, id, request));
                    })+
                    None
                }

                fn resume(instance: &Instance, kind: u32, id: u64, event: &[u8]) -> Option<Served> {
                    $(if <kinds::$kind as Serve<$plugin>>::KIND == Some(kind) {
                        return Some(<kinds::$kind as Serve<$plugin>>::resume(&instance.$kind, id, event));
                    })+
                    None
                }

                fn cancel(instance: &Instance, kind: u32, id: u64) {
                    $(if <kinds::$kind as Serve<$plugin>>::KIND == Some(kind) {
                        <kinds::$kind as Serve<$plugin>>::cancel(&instance.$kind, id);
                    })+
                }
            }
        };

        $crate::__native_symbol!($plugin);
    };
}

/// Exports the table from a library; without the feature several plugins can be linked into one server.
#[cfg(all(feature = "dylib", not(target_family = "wasm")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __native_symbol {
    ($plugin:ty) => {
        #[allow(unsafe_code, reason = "the one symbol of a native plugin")]
        const _: () = {
            #[unsafe(export_name = "knowhost_plugin")]
            pub static TABLE: $crate::native::Table = $crate::native::Table::of::<$plugin>();
        };
    };
}

#[cfg(not(all(feature = "dylib", not(target_family = "wasm"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! __native_symbol {
    ($plugin:ty) => {};
}
