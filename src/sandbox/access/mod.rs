//! Who asks, and what they may do: authentication, and authorization from the stored RBAC objects.
//!
//! A request passes [`Tokens::authenticate`], then [`impersonate()`], then [`authorize()`]; what grants rights to others passes
//! [`check_escalation`] as well. All is evaluated anew each time, from the objects as they are; only what roles and bindings
//! say is kept taken apart ([`Rights`]), until one of them is written.
//!
//! Only RBAC decides here: there is no authorizer for nodes and no webhook.

mod authorize;
mod bootstrap;
mod escalation;
mod impersonate;
mod review;
mod rights;
mod rule;
mod selection;
mod token;
mod token_request;
mod user;
mod wording;

pub use self::{
    authorize::{Attributes, Decision, authorize, forbidden},
    bootstrap::bootstrap_objects,
    escalation::check_escalation,
    impersonate::impersonate,
    review::review,
    rights::Rights,
    token::{AUDIENCE, Authenticated, Claims, TokenError, Tokens},
    token_request::token_request,
    user::{User, anonymous},
};

#[cfg(test)]
mod fixture;
