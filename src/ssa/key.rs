//! What an item of a keyed list is called.

use serde_json::Value;

/// The key fields of an item with their values, sorted by name. Nearly all items have one or two, and sets of fields hold
/// and compare many, so they stand in a row.
#[derive(Debug, Clone, Default)]
pub struct Key(Vec<(String, Value)>);

impl Key {
    /// Goes through the fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Goes through the names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Tells whether a field is part of the key.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns the number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether no field is part of the key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Value)> for Key {
    /// Of a field that is there twice the last counts.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        let mut key: Vec<(String, Value)> = Vec::new();
        for (name, value) in fields {
            match key.binary_search_by(|(known, _)| known.cmp(&name)) {
                Ok(place) => key[place].1 = value,
                Err(place) => key.insert(place, (name, value)),
            }
        }
        Self(key)
    }
}

impl<const N: usize> From<[(String, Value); N]> for Key {
    fn from(fields: [(String, Value); N]) -> Self {
        fields.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_stand_in_order_and_each_once() {
        let field = |name: &str, value: Value| (name.to_owned(), value);
        let key = Key::from([field("port", json!(1)), field("name", json!("a")), field("port", json!(2))]);
        assert_eq!(
            key.iter().collect::<Vec<_>>(),
            [(&"name".to_owned(), &json!("a")), (&"port".to_owned(), &json!(2))]
        );
        assert!(key.has("port") && !key.has("protocol") && key.len() == 2 && !key.is_empty());
    }
}
