//! The functions that Kubernetes adds to CEL, as far as rules commonly use them: of lists, patterns, quantities, URLs and
//! sets. A rule that uses another one is not evaluated, which is told.

use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, DeclarationError, ExecutionError, Value};

use super::quantity::Quantity;
use super::url::{Url, is_url};
use crate::sandbox::custom::validate::compiled;

type Answer<T> = Result<T, ExecutionError>;
type UrlPart = fn(&Url) -> String;

/// What a function says when it fails; the rule's problem shows it.
fn failed(message: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError { function: String::new(), message: message.into() }
}

/// Declares the functions.
pub(super) fn declare(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    lists(context)?;
    context.add_function("find", |This(text): This<Arc<String>>, pattern: Arc<String>| -> Answer<Value> {
        let regex = compiled(&pattern).ok_or_else(|| failed(format!("Illegal regex: {pattern}")))?;
        Ok(Value::from(regex.find(&text).map(|found| found.as_str()).unwrap_or_default()))
    })?;
    context.add_function("findAll", |This(text): This<Arc<String>>, pattern: Arc<String>| -> Answer<Value> {
        let regex = compiled(&pattern).ok_or_else(|| failed(format!("Illegal regex: {pattern}")))?;
        let found: Vec<Value> = regex.find_iter(&text).map(|found| Value::from(found.as_str())).collect();
        Ok(Value::List(Arc::new(found)))
    })?;
    quantities(context)?;
    urls(context)?;
    sets(context)
}

fn lists(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function("isSorted", |This(list): This<Arc<Vec<Value>>>| -> bool {
        list.windows(2).all(|pair| matches!(pair, [left, right] if left <= right))
    })?;
    context.add_function("sum", |This(list): This<Arc<Vec<Value>>>| -> Answer<Value> {
        let mut total = None;
        for item in list.iter() {
            total = Some(match (total, item) {
                (None, item @ (Value::Int(_) | Value::UInt(_) | Value::Float(_))) => item.clone(),
                (Some(Value::Int(sum)), Value::Int(item)) => {
                    Value::Int(sum.checked_add(*item).ok_or_else(|| failed("integer overflow"))?)
                }
                (Some(Value::UInt(sum)), Value::UInt(item)) => {
                    Value::UInt(sum.checked_add(*item).ok_or_else(|| failed("unsigned integer overflow"))?)
                }
                (Some(Value::Float(sum)), Value::Float(item)) => Value::Float(sum + item),
                (_, item) => return Err(ExecutionError::UnsupportedTargetType { target: item.clone() }),
            });
        }
        Ok(total.unwrap_or(Value::Int(0)))
    })?;
    context.add_function("min", |This(list): This<Arc<Vec<Value>>>| -> Answer<Value> { extreme(&list, "min") })?;
    context.add_function("max", |This(list): This<Arc<Vec<Value>>>| -> Answer<Value> { extreme(&list, "max") })
}

fn extreme(list: &[Value], which: &str) -> Answer<Value> {
    let better = |left: Value, right: &Value| {
        let takes_right = if which == "min" { *right < left } else { *right > left };
        if takes_right { right.clone() } else { left }
    };
    let mut items = list.iter();
    let first = items.next().cloned().ok_or_else(|| failed(format!("{which} called on empty list")))?;
    Ok(items.fold(first, better))
}

fn quantity_of(value: &Value) -> Answer<Quantity> {
    let unfit = || ExecutionError::UnsupportedTargetType { target: value.clone() };
    let Value::Opaque(opaque) = value else { return Err(unfit()) };
    opaque.downcast_ref::<Quantity>().copied().ok_or_else(unfit)
}

fn quantity_value(quantity: Quantity) -> Value {
    Value::Opaque(Arc::new(quantity))
}

fn quantities(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function("isQuantity", |text: Arc<String>| Quantity::parse(&text).is_some())?;
    context.add_function("quantity", |text: Arc<String>| -> Answer<Value> {
        let form = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        Quantity::parse(&text).map(quantity_value).ok_or_else(|| failed(form))
    })?;
    context.add_function("isGreaterThan", |This(left): This<Value>, right: Value| -> Answer<bool> {
        Ok(quantity_of(&left)? > quantity_of(&right)?)
    })?;
    context.add_function("isLessThan", |This(left): This<Value>, right: Value| -> Answer<bool> {
        Ok(quantity_of(&left)? < quantity_of(&right)?)
    })?;
    context.add_function("compareTo", |This(left): This<Value>, right: Value| -> Answer<i64> {
        Ok(quantity_of(&left)?.cmp(&quantity_of(&right)?) as i64)
    })?;
    context.add_function("sign", |This(quantity): This<Value>| -> Answer<i64> {
        Ok(quantity_of(&quantity)?.cmp(&Quantity(0)) as i64)
    })?;
    context.add_function("isInteger", |This(quantity): This<Value>| -> Answer<bool> {
        Ok(quantity_of(&quantity)?.whole().is_some())
    })?;
    context.add_function("asInteger", |This(quantity): This<Value>| -> Answer<i64> {
        quantity_of(&quantity)?.whole().ok_or_else(|| failed("cannot convert value to integer"))
    })?;
    context.add_function("asApproximateFloat", |This(quantity): This<Value>| -> Answer<f64> {
        Ok(quantity_of(&quantity)?.approximately())
    })?;
    context.add_function("add", |This(left): This<Value>, right: Value| combine(&left, &right, i128::checked_add))?;
    context.add_function("sub", |This(left): This<Value>, right: Value| combine(&left, &right, i128::checked_sub))
}

fn combine(left: &Value, right: &Value, operation: fn(i128, i128) -> Option<i128>) -> Answer<Value> {
    let right = match right {
        Value::Int(whole) => Quantity::of(*whole),
        right => quantity_of(right)?,
    };
    let result = operation(quantity_of(left)?.0, right.0).ok_or_else(|| failed("quantity overflow"))?;
    Ok(quantity_value(Quantity(result)))
}

fn urls(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function("isURL", |text: Arc<String>| is_url(&text))?;
    context.add_function("url", |text: Arc<String>| -> Answer<Value> {
        let url = Url::parse(&text)
            .ok_or_else(|| failed(format!("URL parse error during conversion from string: {text}")))?;
        Ok(Value::Opaque(Arc::new(url)))
    })?;
    let parts: [(&str, UrlPart); 5] = [
        ("getScheme", |url| url.scheme.clone()),
        ("getHost", |url| url.host.clone()),
        ("getHostname", Url::hostname),
        ("getPort", Url::port),
        ("getEscapedPath", |url| url.path.clone()),
    ];
    for (name, part) in parts {
        context.add_function(name, move |This(url): This<Value>| -> Answer<Value> {
            let unfit = || ExecutionError::UnsupportedTargetType { target: url.clone() };
            let Value::Opaque(opaque) = &url else { return Err(unfit()) };
            opaque.downcast_ref::<Url>().map(|url| Value::from(part(url))).ok_or_else(unfit)
        })?;
    }
    Ok(())
}

fn sets(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    let contains = |list: &[Value], other: &[Value]| other.iter().all(|item| list.contains(item));
    context
        .add_function("sets.contains", move |list: Arc<Vec<Value>>, other: Arc<Vec<Value>>| contains(&list, &other))?;
    context.add_function("sets.equivalent", move |list: Arc<Vec<Value>>, other: Arc<Vec<Value>>| {
        contains(&list, &other) && contains(&other, &list)
    })?;
    context.add_function("sets.intersects", |list: Arc<Vec<Value>>, other: Arc<Vec<Value>>| {
        list.iter().any(|item| other.contains(item))
    })
}
