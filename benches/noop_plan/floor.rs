//! The floor: the least work that can answer whether a stack changed. A bare client that fetches the label-selected list of
//! each kind over one connection, and parses it. It compares nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

const PATHS: [(&str, &str); 9] = [
    ("api/v1", "serviceaccounts"),
    ("apis/rbac.authorization.k8s.io/v1", "roles"),
    ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    ("api/v1", "configmaps"),
    ("api/v1", "services"),
    ("apis/apps/v1", "deployments"),
    ("apis/batch/v1", "cronjobs"),
    ("apis/networking.k8s.io/v1", "networkpolicies"),
    ("apis/policy/v1", "poddisruptionbudgets"),
];

/// Fetches and parses them, and checks that all objects came.
pub fn fetch(kubeconfig: &Path, namespace: &str, label: &str) {
    let text = fs::read_to_string(kubeconfig).expect("read the kubeconfig");
    let config: Value = serde_json::from_str(&text).expect("the suite writes kubeconfigs in JSON");
    let cluster = &config["clusters"][0]["cluster"];
    let server = cluster["server"].as_str().expect("a server");
    let token = config["users"][0]["user"]["token"].as_str().expect("a token");
    let authority = cluster["certificate-authority-data"].as_str().expect("an authority");
    let pem = STANDARD.decode(authority).expect("the authority is base64");
    let agent = agent(&pem);
    let mut count = 0;
    for (group, resource) in PATHS {
        let mut next = String::new();
        loop {
            let url = format!(
                "{server}/{group}/namespaces/{namespace}/{resource}?labelSelector=mathison.dev%2Fstack%3D{label}&limit=500&continue={next}"
            );
            let mut answer = agent.get(&url).header("Authorization", format!("Bearer {token}")).call().expect("a list");
            let bytes = answer.body_mut().with_config().limit(1 << 30).read_to_vec().expect("the whole list");
            let list: Value = serde_json::from_slice(&bytes).expect("a list is JSON");
            count += list["items"].as_array().map_or(0, Vec::len);
            next = list["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() {
                break;
            }
        }
    }
    assert_eq!(count, super::OBJECTS, "the floor must fetch what the plan fetches");
}

fn agent(pem: &[u8]) -> ureq::Agent {
    let certificates: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(Result::ok)
        .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build();
    ureq::Agent::config_builder().tls_config(tls).user_agent("floor/1").build().into()
}
