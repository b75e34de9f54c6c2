//! Where passwords, keys and names come from that nobody may foresee: the system, or in a simulation its seed.

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// A source of what nobody may foresee.
pub(super) enum Randomness {
    /// The system's own.
    System,
    /// A seed's: the same bytes each time, which are no secret.
    Seeded(Box<StdRng>),
}

impl Randomness {
    /// That of a seed.
    pub(super) fn of_seed(seed: u64) -> Self {
        Self::Seeded(Box::new(StdRng::seed_from_u64(seed)))
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        match self {
            Self::System => rand::rng().fill_bytes(bytes),
            Self::Seeded(random) => random.fill_bytes(bytes),
        }
    }

    /// A random name of 128 bits.
    pub(super) fn name(&mut self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}
