//! What open sorts stand for, and which sorts can be taken for which (cel-go's `checker/types.go`).

use super::sorts::Sort;

/// How much of a sort is kept: the server's grow without bounds where expressions nest what they made before.
const LARGEST: usize = 500;

/// What open sorts stand for.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    bound: Vec<Option<Sort>>,
    /// What was changed and how it was before, the latest last.
    changed: Vec<(usize, Option<Sort>)>,
}

impl Bindings {
    /// An open sort that stands for nothing yet.
    pub(super) fn open(&mut self) -> Sort {
        self.bound.push(None);
        Sort::Open(self.bound.len() - 1)
    }

    /// A declared sort with fresh open ones in place of its own.
    pub(super) fn fresh(declared: &Sort, fresh: &[Sort]) -> Sort {
        let within = |of: &Sort| Self::fresh(of, fresh);
        match declared {
            Sort::Open(number) => fresh.get(*number).cloned().unwrap_or(Sort::Dyn),
            Sort::List(of) => Sort::list(within(of)),
            Sort::Optional(of) => Sort::optional(within(of)),
            Sort::TypeOf(of) => Sort::type_of(within(of)),
            Sort::Map(key, value) => Sort::map(within(key), within(value)),
            plain => plain.clone(),
        }
    }

    /// Tells whether each of some sorts can be taken for its partner; if not, nothing is bound by it.
    pub(super) fn are_assignable<'s>(&mut self, pairs: impl IntoIterator<Item = (&'s Sort, &'s Sort)>) -> bool {
        self.changed.clear();
        for (given, taken) in pairs {
            if !self.is_assignable(given, taken) {
                for (number, before) in self.changed.drain(..).rev() {
                    if let Some(bound) = self.bound.get_mut(number) {
                        *bound = before;
                    }
                }
                return false;
            }
        }
        true
    }

    fn is_assignable(&mut self, given: &Sort, taken: &Sort) -> bool {
        if let Sort::Open(number) = taken {
            match self.stands_for(given, *number) {
                Some(true) => return true,
                Some(false) if self.of(*number).is_some() => return false,
                _ => {}
            }
        }
        if let Sort::Open(number) = given {
            return self.stands_for(taken, *number) == Some(true);
        }
        if given.is_any() || taken.is_any() {
            return true;
        }
        match (given, taken) {
            (Sort::Null, other) | (other, Sort::Null) => is_nullable(other),
            (Sort::TypeOf(_), Sort::TypeOf(_)) => true,
            (Sort::List(given), Sort::List(taken)) | (Sort::Optional(given), Sort::Optional(taken)) => {
                self.is_assignable(given, taken)
            }
            (Sort::Map(given_key, given), Sort::Map(taken_key, taken)) => {
                self.is_assignable(given_key, taken_key) && self.is_assignable(given, taken)
            }
            (given, taken) => given == taken,
        }
    }

    fn of(&self, number: usize) -> Option<&Sort> {
        self.bound.get(number).and_then(Option::as_ref)
    }

    /// Tells whether an open sort can stand for another, and lets it.
    fn stands_for(&mut self, sort: &Sort, number: usize) -> Option<bool> {
        if *sort == Sort::Open(number) {
            return Some(true);
        }
        if let Some(before) = self.of(number).cloned() {
            if *sort == before {
                return Some(true);
            }
            if !self.is_assignable(sort, &before) {
                return Some(false);
            }
            let general = if is_less_specific(sort, &before) { sort.clone() } else { before };
            if !self.refers_to(&general, number) {
                self.bind(number, general);
            }
            return Some(true);
        }
        if self.refers_to(sort, number) {
            return Some(false);
        }
        self.bind(number, sort.clone());
        Some(true)
    }

    fn bind(&mut self, number: usize, sort: Sort) {
        if let Some(bound) = self.bound.get_mut(number) {
            self.changed.push((number, bound.replace(sort)));
        }
    }

    fn refers_to(&self, sort: &Sort, number: usize) -> bool {
        match sort {
            Sort::Open(other) => *other == number || self.of(*other).is_some_and(|sort| self.refers_to(sort, number)),
            Sort::List(of) | Sort::Optional(of) | Sort::TypeOf(of) => self.refers_to(of, number),
            Sort::Map(key, value) => self.refers_to(key, number) || self.refers_to(value, number),
            _ => false,
        }
    }

    /// A sort with what its open ones stand for.
    pub(super) fn filled(&self, sort: &Sort) -> Sort {
        self.fill(sort, false, &mut LARGEST.clone())
    }

    /// The same, where what is still open is anything.
    pub(super) fn settled(&self, sort: &Sort) -> Sort {
        self.fill(sort, true, &mut LARGEST.clone())
    }

    fn fill(&self, sort: &Sort, settles: bool, left: &mut usize) -> Sort {
        let Some(less) = left.checked_sub(1) else { return Sort::Dyn };
        *left = less;
        match sort {
            Sort::Open(number) => match self.of(*number) {
                Some(sort) => self.fill(sort, settles, left),
                None if settles => Sort::Dyn,
                None => sort.clone(),
            },
            Sort::List(of) => Sort::list(self.fill(of, settles, left)),
            Sort::Optional(of) => Sort::optional(self.fill(of, settles, left)),
            Sort::TypeOf(of) => Sort::type_of(self.fill(of, settles, left)),
            Sort::Map(key, value) => {
                let key = self.fill(key, settles, left);
                Sort::map(key, self.fill(value, settles, left))
            }
            plain => plain.clone(),
        }
    }
}

fn is_nullable(sort: &Sort) -> bool {
    let is_plain = matches!(sort, Sort::Timestamp | Sort::Duration | Sort::Null);
    is_plain || matches!(sort, Sort::Structure(_) | Sort::Variables | Sort::Opaque(_) | Sort::Optional(_))
}

/// Tells whether a sort says as much as another, or less.
pub(super) fn is_less_specific(one: &Sort, other: &Sort) -> bool {
    match (one, other) {
        (Sort::Dyn | Sort::Open(_), _) => true,
        (_, Sort::Dyn | Sort::Open(_)) => false,
        (Sort::List(one), Sort::List(other)) | (Sort::Optional(one), Sort::Optional(other)) => {
            is_less_specific(one, other)
        }
        (Sort::Map(one_key, one), Sort::Map(other_key, other)) => {
            is_less_specific(one_key, other_key) && is_less_specific(one, other)
        }
        (Sort::TypeOf(_), Sort::TypeOf(_)) => true,
        (one, other) => one == other,
    }
}
