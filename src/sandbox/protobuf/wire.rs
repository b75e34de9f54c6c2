//! The wire format of protobuf: numbered fields, one after the other.

use super::Damaged;

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Payload<'a> {
    pub(super) fn bytes(&self) -> Result<&'a [u8], Damaged> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) => Err(Damaged),
        }
    }

    /// A signed number, as two's complement.
    pub(super) fn number(&self) -> Result<i64, Damaged> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            Self::Bytes([]) => Ok(0),
            Self::Bytes(_) => Err(Damaged),
        }
    }
}

/// The fields of a message with their numbers.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the first field of a number.
    pub(super) fn first(bytes: &'a [u8], number: u64) -> Result<Option<Payload<'a>>, Damaged> {
        for field in Self::of(bytes) {
            let (found, payload) = field?;
            if found == number {
                return Ok(Some(payload));
            }
        }
        Ok(None)
    }

    fn varint(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Damaged)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Damaged> {
        let length = usize::try_from(length).map_err(|_| Damaged)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Payload<'a>), Damaged> {
        let tag = self.varint()?;
        let payload = match tag & 7 {
            0 => Payload::Number(self.varint()?),
            1 => Payload::Bytes(self.take(8)?),
            2 => {
                let length = self.varint()?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Bytes(self.take(4)?),
            _ => return Err(Damaged),
        };
        Ok((tag >> 3, payload))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Payload<'a>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            // What follows has no meaning.
            self.rest = &[];
        }
        Some(field)
    }
}
