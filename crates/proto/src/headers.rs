//! Header fields as they stand on the wire.

use bytes::Bytes;

/// One header field: its name in the case in which it came, and its value
/// without the white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, case kept.
    pub name: Bytes,
    /// The value, any bytes.
    pub value: Bytes,
}

impl Field {
    fn is_named(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// An ordered list of fields in which a name may come more than once.
///
/// Names are compared without regard to ASCII case and kept as they were
/// given; values are never looked into. Two lists are equal when they would
/// look the same on the wire, so order and case count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderList {
    fields: Vec<Field>,
}

impl HeaderList {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list with room for `capacity` fields.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { fields: Vec::with_capacity(capacity) }
    }

    /// Adds a field at the end, whether or not the name is there already.
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.fields.push(Field { name: name.into(), value: value.into() });
    }

    /// Adds a field behind the last one of that name, spelled as the first one is; at the end when
    /// there is none. So repeated names stay together, as in the reference's `ResponseHeaders`.
    pub fn append(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (name, value) = (name.into(), value.into());
        match self.fields.iter().rposition(|field| field.is_named(&name)) {
            Some(last) => {
                let name = self.fields[last].name.clone();
                self.fields.insert(last + 1, Field { name, value });
            }
            None => self.fields.push(Field { name, value }),
        }
    }

    /// The value of the first field called `name`.
    pub fn get(&self, name: &[u8]) -> Option<&Bytes> {
        self.get_all(name).next()
    }

    /// The values of all fields called `name`, in order.
    pub fn get_all(&self, name: &[u8]) -> impl Iterator<Item = &Bytes> {
        self.fields.iter().filter(move |field| field.is_named(name)).map(|field| &field.value)
    }

    /// Whether a field is called `name`.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.fields.iter().any(|field| field.is_named(name))
    }

    /// Leaves exactly one field called `name`. It takes the place of the first
    /// one there was, with the name's new case, or goes to the end.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        let value = value.into();
        let Some(first) = self.fields.iter().position(|field| field.is_named(&name)) else {
            self.fields.push(Field { name, value });
            return;
        };
        let mut index = 0;
        self.fields.retain(|field| {
            let kept = index <= first || !field.is_named(&name);
            index += 1;
            kept
        });
        self.fields[first] = Field { name, value };
    }

    /// Removes all fields called `name`; false when there was none.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let before = self.fields.len();
        self.fields.retain(|field| !field.is_named(name));
        self.fields.len() != before
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.fields.iter()
    }

    /// How many fields there are, repeated ones counted each.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Removes all fields and keeps the room.
    pub fn clear(&mut self) {
        self.fields.clear();
    }
}

impl<'a> IntoIterator for &'a HeaderList {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<N: Into<Bytes>, V: Into<Bytes>> FromIterator<(N, V)> for HeaderList {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields
            .into_iter()
            .map(|(name, value)| Field { name: name.into(), value: value.into() })
            .collect();
        Self { fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(fields: &[(&'static str, &'static str)]) -> HeaderList {
        fields.iter().copied().collect()
    }

    #[test]
    fn order_case_and_repeats_are_kept() {
        let mut headers = HeaderList::with_capacity(3);
        headers.push("B", "1");
        headers.push("a", "2");
        headers.push("b", "3");
        let pairs: Vec<(&[u8], &[u8])> =
            headers.iter().map(|field| (&field.name[..], &field.value[..])).collect();
        assert_eq!(pairs, [(&b"B"[..], &b"1"[..]), (&b"a"[..], &b"2"[..]), (&b"b"[..], &b"3"[..])]);
        assert_eq!(headers.len(), 3);
        assert!(!headers.is_empty());
        assert_eq!((&headers).into_iter().count(), 3);
    }

    #[test]
    fn look_ups_ignore_case() {
        let headers = list(&[("Set-Cookie", "a=1"), ("X", "y"), ("set-cookie", "b=2")]);
        assert_eq!(headers.get(b"SET-COOKIE"), Some(&Bytes::from_static(b"a=1")));
        assert_eq!(headers.get(b"Set-Cookie2"), None);
        let all: Vec<&Bytes> = headers.get_all(b"set-cookie").collect();
        assert_eq!(all, [&Bytes::from_static(b"a=1"), &Bytes::from_static(b"b=2")]);
        assert!(headers.contains(b"x"));
        assert!(!headers.contains(b""));
    }

    #[test]
    fn set_keeps_the_first_place_and_takes_the_new_case() {
        let mut headers = list(&[("a", "1"), ("B", "2"), ("c", "3"), ("b", "4"), ("B", "5")]);
        headers.set("b", "new");
        assert_eq!(headers, list(&[("a", "1"), ("b", "new"), ("c", "3")]));
        headers.set("D", "4");
        assert_eq!(headers, list(&[("a", "1"), ("b", "new"), ("c", "3"), ("D", "4")]));
    }

    #[test]
    fn append_keeps_a_name_together_and_its_first_case() {
        let mut headers = list(&[("A", "1"), ("b", "2")]);
        headers.append("a", "3");
        headers.append("c", "4");
        headers.append("a", "5");
        assert_eq!(headers, list(&[("A", "1"), ("A", "3"), ("A", "5"), ("b", "2"), ("c", "4")]));
    }

    #[test]
    fn remove_says_whether_there_was_one() {
        let mut headers = list(&[("a", "1"), ("b", "2"), ("A", "3")]);
        assert!(headers.remove(b"A"));
        assert!(!headers.remove(b"A"));
        assert_eq!(headers, list(&[("b", "2")]));
        headers.clear();
        assert_eq!(headers, HeaderList::new());
    }

    #[test]
    fn equality_counts_case_and_order() {
        assert_ne!(list(&[("a", "1")]), list(&[("A", "1")]));
        assert_ne!(list(&[("a", "1"), ("b", "2")]), list(&[("b", "2"), ("a", "1")]));
    }

    proptest! {
        #[test]
        fn after_set_there_is_exactly_one(
            fields in prop::collection::vec(("[a-cA-C]", "[0-9]"), 0..12),
            name in "[a-cA-C]",
        ) {
            let mut headers: HeaderList = fields.clone().into_iter().collect();
            headers.set(name.clone(), "new");
            let values: Vec<&Bytes> = headers.get_all(name.as_bytes()).collect();
            prop_assert_eq!(values, [&Bytes::from_static(b"new")]);
            headers.remove(name.as_bytes());
            let others: HeaderList = fields
                .into_iter()
                .filter(|(other, _)| !other.eq_ignore_ascii_case(&name))
                .collect();
            prop_assert_eq!(headers, others);
        }
    }
}
