//! The one table of generated pages. To add a kind is to add an entry, and a text in `pages/`.

use super::{Edition, lines::Lines};

/// A kind of page or script that is made from a test's script.
#[derive(Debug)]
pub struct Kind {
    /// What people call it.
    pub name: &'static str,
    /// The pattern of the paths it answers.
    pub pattern: &'static str,
    /// The endings that its URLs have.
    pub endings: &'static [Ending],
    /// The scope that the script's `global` key must name; without one it is always there.
    pub scope: Option<&'static str>,
    /// The header fields that it starts with; those of `.headers` files replace them.
    pub headers: &'static [(&'static str, &'static str)],
    /// The text with its marks: `@META@`, `@SCRIPT@`, `@PATH@`, `@QUERY@`, `@IS_SHADOW_REALM@`.
    pub text: &'static str,
    /// What stands for `@META@` and `@SCRIPT@`.
    pub lines: Lines,
    /// The first edition that has it.
    pub since: Edition,
    /// The last one.
    pub until: Edition,
}

/// What the ending of a page's URL stands for.
#[derive(Debug)]
pub struct Ending {
    /// The ending.
    pub url: &'static str,
    /// The ending of the script's file instead.
    pub source: &'static str,
    /// The ending of the URL that the page loads: the script's, or that of another page.
    pub resource: &'static str,
}

const fn ending(url: &'static str, source: &'static str, resource: &'static str) -> Ending {
    Ending { url, source, resource }
}

impl Kind {
    /// A page of the window's side.
    const fn page(
        name: &'static str,
        pattern: &'static str,
        endings: &'static [Ending],
        scope: Option<&'static str>,
        text: &'static str,
    ) -> Self {
        let (lines, since, until) = (Lines::Elements, Edition::Workers, Edition::Newest);
        Self { name, pattern, endings, scope, headers: HTML, text, lines, since, until }
    }

    /// A script that a worker starts with, which imports others by `lines`.
    const fn script(
        name: &'static str,
        pattern: &'static str,
        endings: &'static [Ending],
        text: &'static str,
        lines: Lines,
    ) -> Self {
        let (since, until) = (Edition::Workers, Edition::Newest);
        Self { name, pattern, endings, scope: None, headers: SCRIPT, text, lines, since, until }
    }

    const fn since(self, since: Edition) -> Self {
        Self { since, ..self }
    }

    const fn until(self, until: Edition) -> Self {
        Self { until, ..self }
    }

    const fn with(self, lines: Lines) -> Self {
        Self { lines, ..self }
    }

    /// A page in which a test of test262 runs: isolated, for shared memory.
    const fn isolated(self) -> Self {
        Self { headers: ISOLATED, lines: Lines::Test262, ..self }
    }
}

const HTML: &[(&str, &str)] = &[("Content-Type", "text/html")];
const SCRIPT: &[(&str, &str)] = &[("Content-Type", "text/javascript")];
/// The reference gives these pages no type.
const ISOLATED: &[(&str, &str)] = &[
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
];

/// Every kind, in the order of the routes.
pub const KINDS: &[Kind] = &[
    Kind::page(
        "worker page",
        "*.worker.html",
        &[
            ending(".any.worker.html", ".any.js", ".any.worker.js"),
            ending(".worker.html", ".worker.js", ".worker.js"),
        ],
        Some("dedicatedworker"),
        include_str!("pages/worker.html"),
    ),
    Kind::page(
        "module worker page",
        "*.worker-module.html",
        &[
            ending(".any.worker-module.html", ".any.js", ".any.worker-module.js"),
            ending(".worker.html", ".worker.js", ".worker.js"),
        ],
        Some("dedicatedworker-module"),
        include_str!("pages/worker-module.html"),
    ),
    Kind::page(
        "window page",
        "*.window.html",
        &[ending(".window.html", ".window.js", ".window.js")],
        None,
        include_str!("pages/window.html"),
    ),
    Kind::page(
        "test262 page",
        "*.test262.html",
        &[ending(".test262.html", ".js", ".test262-test.html")],
        None,
        include_str!("pages/test262.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "test262 test page",
        "*.test262-test.html",
        &[ending(".test262-test.html", ".js", ".js")],
        None,
        include_str!("pages/test262-test.html"),
    )
    .isolated()
    .since(Edition::ShadowRealms),
    Kind::page(
        "test262 module page",
        "*.test262-module.html",
        &[ending(".test262-module.html", ".js", ".test262-module-test.html")],
        None,
        include_str!("pages/test262.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "test262 module test page",
        "*.test262-module-test.html",
        &[ending(".test262-module-test.html", ".js", ".js")],
        None,
        include_str!("pages/test262-module-test.html"),
    )
    .isolated()
    .since(Edition::ShadowRealms),
    Kind::page(
        "test262 strict page",
        "*.test262.strict.html",
        &[ending(".test262.strict.html", ".js", ".test262-test.strict.html")],
        None,
        include_str!("pages/test262.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "test262 strict test page",
        "*.test262-test.strict.html",
        &[ending(".test262-test.strict.html", ".js", ".test262.strict.js")],
        None,
        include_str!("pages/test262-test.html"),
    )
    .isolated()
    .since(Edition::ShadowRealms),
    Kind::script(
        "test262 strict script",
        "*.test262.strict.js",
        &[ending(".test262.strict.js", ".js", ".js")],
        include_str!("pages/test262.strict.js"),
        Lines::Source,
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "extension page",
        "*.extension.html",
        &[ending(".extension.html", ".extension.js", ".extension.js")],
        None,
        include_str!("pages/extension.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "any page",
        "*.any.html",
        &[ending(".any.html", ".any.js", ".any.js")],
        Some("window"),
        include_str!("pages/any.html"),
    ),
    Kind::page(
        "shared worker page",
        "*.any.sharedworker.html",
        &[ending(".any.sharedworker.html", ".any.js", ".any.worker.js")],
        Some("sharedworker"),
        include_str!("pages/sharedworker.html"),
    ),
    Kind::page(
        "shared module worker page",
        "*.any.sharedworker-module.html",
        &[ending(".any.sharedworker-module.html", ".any.js", ".any.worker-module.js")],
        Some("sharedworker-module"),
        include_str!("pages/sharedworker-module.html"),
    ),
    Kind::page(
        "service worker page",
        "*.any.serviceworker.html",
        &[ending(".any.serviceworker.html", ".any.js", ".any.worker.js")],
        Some("serviceworker"),
        include_str!("pages/serviceworker.html"),
    ),
    Kind::page(
        "service module worker page",
        "*.any.serviceworker-module.html",
        &[ending(".any.serviceworker-module.html", ".any.js", ".any.worker-module.js")],
        Some("serviceworker-module"),
        include_str!("pages/serviceworker-module.html"),
    ),
    Kind::page(
        "only shadow realm page",
        "*.any.shadowrealm.html",
        &[ending(".any.shadowrealm.html", ".any.js", ".any.js")],
        Some("shadowrealm"),
        include_str!("pages/shadowrealm.html"),
    )
    .with(Lines::Realm)
    .since(Edition::ShadowRealm)
    .until(Edition::ShadowRealm),
    Kind::page(
        "shadow realm page",
        "*.any.shadowrealm-in-window.html",
        &[ending(".any.shadowrealm-in-window.html", ".any.js", ".any.js")],
        Some("shadowrealm-in-window"),
        include_str!("pages/shadowrealm-in-window.html"),
    )
    .with(Lines::Realm)
    .since(Edition::ShadowRealms),
    Kind::page(
        "inner shadow realm page",
        "*.any.shadowrealm-in-shadowrealm.html",
        &[ending(".any.shadowrealm-in-shadowrealm.html", ".any.js", ".any.js")],
        Some("shadowrealm-in-shadowrealm"),
        include_str!("pages/shadowrealm-in-shadowrealm.html"),
    )
    .with(Lines::Realm)
    .since(Edition::ShadowRealms),
    Kind::page(
        "worker shadow realm page",
        "*.any.shadowrealm-in-dedicatedworker.html",
        &[ending(
            ".any.shadowrealm-in-dedicatedworker.html",
            ".any.js",
            ".any.worker-shadowrealm.js",
        )],
        Some("shadowrealm-in-dedicatedworker"),
        include_str!("pages/worker.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "shared worker shadow realm page",
        "*.any.shadowrealm-in-sharedworker.html",
        &[ending(".any.shadowrealm-in-sharedworker.html", ".any.js", ".any.worker-shadowrealm.js")],
        Some("shadowrealm-in-sharedworker"),
        include_str!("pages/sharedworker.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "service worker shadow realm page",
        "*.any.shadowrealm-in-serviceworker.html",
        &[ending(
            ".https.any.shadowrealm-in-serviceworker.html",
            ".any.js",
            ".any.serviceworker-shadowrealm.js",
        )],
        Some("shadowrealm-in-serviceworker"),
        include_str!("pages/serviceworker.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "audio worklet shadow realm page",
        "*.any.shadowrealm-in-audioworklet.html",
        &[ending(
            ".https.any.shadowrealm-in-audioworklet.html",
            ".any.js",
            ".any.audioworklet-shadowrealm.js",
        )],
        Some("shadowrealm-in-audioworklet"),
        include_str!("pages/shadowrealm-in-audioworklet.html"),
    )
    .since(Edition::ShadowRealms),
    Kind::page(
        "window module page",
        "*.any.window-module.html",
        &[ending(".any.window-module.html", ".any.js", ".any.js")],
        Some("window-module"),
        include_str!("pages/window-module.html"),
    )
    .since(Edition::ShadowRealm),
    Kind::script(
        "worker script",
        "*.any.worker.js",
        &[ending(".any.worker.js", ".any.js", ".any.js")],
        include_str!("pages/worker.js"),
        Lines::Imports("importScripts(\"", "\")"),
    ),
    Kind::script(
        "module worker script",
        "*.any.worker-module.js",
        &[ending(".any.worker-module.js", ".any.js", ".any.js")],
        include_str!("pages/worker-module.js"),
        Lines::Imports("import \"", "\";"),
    ),
    Kind::script(
        "service worker shadow realm script",
        "*.any.serviceworker-shadowrealm.js",
        &[ending(".any.serviceworker-shadowrealm.js", ".any.js", ".any.js")],
        include_str!("pages/serviceworker-shadowrealm.js"),
        Lines::Imports("await fakeDynamicImport(\"", "\");"),
    )
    .since(Edition::ShadowRealms),
    Kind::script(
        "worker shadow realm script",
        "*.any.worker-shadowrealm.js",
        &[ending(".any.worker-shadowrealm.js", ".any.js", ".any.js")],
        include_str!("pages/worker-shadowrealm.js"),
        Lines::Imports("await import(\"", "\");"),
    )
    .since(Edition::ShadowRealms),
    Kind::script(
        "audio worklet shadow realm script",
        "*.any.audioworklet-shadowrealm.js",
        &[ending(".any.audioworklet-shadowrealm.js", ".any.js", ".any.js")],
        include_str!("pages/audioworklet-shadowrealm.js"),
        Lines::Imports("await fakeDynamicImport(\"", "\");"),
    )
    .since(Edition::ShadowRealms),
];
