//! The types of services, and the way from a type's name to its code.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Endpoint, Expansion, Remark, ServiceContext, config, postgres, rbac, redis};

/// The names of the types, as `type:` in a block has them.
pub const TYPES: &[&str] = &["rbac", "config", "postgres", "redis"];

/// Returns the JSON Schema of a type's block, without the key `type` itself; `None` for a type that does not exist.
#[must_use]
pub fn block_schema(type_name: &str) -> Option<Schema> {
    Some(match type_name {
        "rbac" => schema::<rbac::RbacBlock>(),
        "config" => schema::<config::ConfigBlock>(),
        "postgres" => schema::<postgres::PostgresBlock>(),
        "redis" => schema::<redis::RedisBlock>(),
        _ => return None,
    })
}

fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// Turns a block (without the key `type`) that fits its [schema](block_schema) into objects and checks.
///
/// # Errors
/// All problems of the block at once; of a block that does not fit its schema only the first.
pub fn expand(type_name: &str, block: &Value, context: &ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    match type_name {
        "rbac" => rbac::expand(decode(block)?, *context),
        "config" => config::expand(decode(block)?, *context),
        "postgres" => postgres::expand(&decode(block)?, *context),
        "redis" => redis::expand(&decode(block)?, *context),
        _ => Err(vec![Remark::new("/type", format!("there is no type of service `{type_name}`"))]),
    }
}

fn decode<T: DeserializeOwned>(block: &Value) -> Result<T, Vec<Remark>> {
    T::deserialize(block).map_err(|error| vec![Remark::new("", error.to_string())])
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
