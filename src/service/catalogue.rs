//! The types of services, and the way from a type's name to its code.

use serde_json::Value;

use super::{Endpoint, Expansion, Remark, ServiceContext, config, postgres, rbac, redis, shape};

/// The names of the types, as `type:` in a block has them.
pub const TYPES: &[&str] = &["rbac", "config", "postgres", "redis"];

/// Returns the JSON Schema of a type's block, without the key `type` itself; `None` for a type that does not exist.
#[must_use]
pub fn block_schema(type_name: &str) -> Option<schemars::Schema> {
    Some(match type_name {
        "rbac" => shape::schema::<rbac::RbacBlock>(),
        "config" => shape::schema::<config::ConfigBlock>(),
        "postgres" => shape::schema::<postgres::PostgresBlock>(),
        "redis" => shape::schema::<redis::RedisBlock>(),
        _ => return None,
    })
}

/// Turns a block (without the key `type`) into objects and checks.
///
/// # Errors
/// All problems of the block at once.
pub fn expand(type_name: &str, block: &Value, context: &ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    match type_name {
        "rbac" => rbac::expand(shape::decode(block)?, *context),
        "config" => config::expand(shape::decode(block)?, *context),
        "postgres" => postgres::expand(&shape::decode(block)?, *context),
        "redis" => redis::expand(&shape::decode(block)?, *context),
        _ => Err(vec![Remark::new("/type", format!("there is no type of service `{type_name}`"))]),
    }
}

/// Returns where a service of this type will listen, without expanding it: only its name decides, so that services may
/// name each other in any order.
#[must_use]
pub fn endpoint(type_name: &str, block: &Value, context: &ServiceContext<'_>) -> Option<Endpoint> {
    let port = match type_name {
        "postgres" => postgres::PORT,
        "redis" => redis::PORT,
        _ => return None,
    };
    let name = block.get("name").and_then(Value::as_str).unwrap_or(context.name);
    Some(Endpoint::of_service(name, context.namespace, port))
}
