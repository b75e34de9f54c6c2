//! Absolute URLs and absolute paths, as Go's `url.ParseRequestURI` reads them.

use cel::objects::Opaque;

use crate::sandbox::custom::validate::is_request_uri;

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: String,
    /// With its port.
    pub(super) host: String,
    pub(super) path: String,
}

impl Opaque for Url {
    fn runtime_type_name(&self) -> &str {
        "kubernetes.URL"
    }
}

pub(super) fn is_url(text: &str) -> bool {
    is_request_uri(text)
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !is_url(text) {
            return None;
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let rest = rest.split('?').next().unwrap_or_default();
        let (authority, path) = match scheme {
            "" => ("", rest),
            _ => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        Some(Self { scheme: scheme.to_lowercase(), host: host.to_owned(), path: path.to_owned() })
    }

    fn parts(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
            _ => (&self.host, ""),
        }
    }

    pub(super) fn hostname(&self) -> String {
        self.parts().0.trim_matches(['[', ']']).to_owned()
    }

    pub(super) fn port(&self) -> String {
        self.parts().1.to_owned()
    }
}
