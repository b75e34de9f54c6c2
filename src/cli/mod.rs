//! The command line: clap's types, and the resolved [`Request`] that commands see. The only reader of the environment.

mod arguments;
mod request;
mod resolve;
mod words;

pub use request::{
    ClusterRequest, ExtraManifests, GraphForm, PolicyRequest, Request, RequestAction, RunRequest, StackRequest, Talk,
};

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;

use clap::Parser as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use arguments::{Cli, ColorChoice};

/// The process' environment, as a value.
pub type Environment = BTreeMap<OsString, OsString>;

/// Parses the arguments and resolves them with the environment.
///
/// # Errors
/// clap's error: bad usage, or a request for help or the version.
pub fn parse(arguments: impl Iterator<Item = OsString>, environment: &Environment) -> Result<Request, clap::Error> {
    let arguments: Vec<OsString> = arguments.collect();
    let cli = Cli::try_parse_from(&arguments).map_err(|error| with_tip(error, &arguments))?;
    let talk = talk(&cli, environment);
    Ok(Request { action: cli.command.into_action(environment), talk })
}

/// Says how a folder is given, where it was given like the value of other flags: `--sandbox` alone is complete, so what
/// comes after it is taken for the stack file.
fn with_tip(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let is_word = |error: &clap::Error| {
        let named = error.get(ContextKind::InvalidArg);
        matches!(named, Some(ContextValue::String(word)) if !word.starts_with('-'))
    };
    if error.kind() == ErrorKind::UnknownArgument && is_word(&error) && arguments.iter().any(|word| word == "--sandbox")
    {
        let tip = StyledStr::from("a folder for the sandbox is given with an equals sign: '--sandbox=DIR'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

fn set(environment: &Environment, name: &str) -> bool {
    environment.get(&OsString::from(name)).is_some_and(|value| !value.is_empty())
}

fn talk(cli: &Cli, environment: &Environment) -> Talk {
    let dumb = environment.get(&OsString::from("TERM")).is_some_and(|term| term == "dumb");
    let color = |terminal: bool| match cli.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal && !set(environment, "NO_COLOR") && !dumb,
    };
    let stderr = std::io::stderr().is_terminal();
    let columns = environment.get(&OsString::from("COLUMNS")).and_then(|text| text.to_str()?.parse().ok());
    Talk {
        color_stdout: color(std::io::stdout().is_terminal()),
        color_stderr: color(stderr),
        terminal: stderr,
        live: stderr && !dumb && !set(environment, "CI") && cli.color != ColorChoice::Never,
        can_ask: stderr && std::io::stdin().is_terminal(),
        width: columns.unwrap_or(if stderr { usize::from(terminal_width()).max(40) } else { 100 }),
        verbosity: if cli.quiet { -1 } else { i8::from(cli.verbose) },
    }
}

/// Returns the columns of the terminal at standard error, as they are now.
#[must_use]
pub fn terminal_width() -> u16 {
    match rustix::termios::tcgetwinsize(std::io::stderr()) {
        Ok(size) if size.ws_col > 0 => size.ws_col,
        // Some pseudo-terminals have no size.
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::CommandFactory as _;

    use super::*;

    fn request(arguments: &[&str], environment: &[(&str, &str)]) -> Request {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        parse(std::iter::once("mathison").chain(arguments.iter().copied()).map(OsString::from), &environment).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_environment_is_read_here_and_nowhere_else() {
        let environment = [("MATHISON_INPUT_storage", "5Gi"), ("KUBECONFIG", "/k"), ("HOME", "/h"), ("USER", "ann")];
        let request = request(&["apply", "s.yaml", "--set", "a=b=c", "--allow-data-loss", "all"], &environment);
        let RequestAction::Apply { stack, cluster, policy, run, destroy } = request.action else { panic!() };
        assert_eq!(stack.environment_inputs["storage"], "5Gi");
        assert_eq!(stack.set, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(cluster.kubeconfig.as_deref(), Some("/k".as_ref()));
        assert_eq!(cluster.service, None);
        assert_eq!(cluster.cache, Some(PathBuf::from("/h/.cache/mathison")));
        assert!(policy.all_data_loss && policy.data_loss.is_empty() && !destroy);
        assert_eq!(run.user, "ann");
    }

    #[test]
    fn a_folder_for_the_sandbox_without_an_equals_sign_is_explained() {
        let error = |arguments: &[&str]| {
            let all = std::iter::once("mathison").chain(arguments.iter().copied()).map(OsString::from);
            parse(all, &Environment::new()).unwrap_err().to_string()
        };
        insta::assert_snapshot!(error(&["plan", "--sandbox", "dir", "s.yaml"]), @r"
        error: unexpected argument 's.yaml' found

          tip: a folder for the sandbox is given with an equals sign: '--sandbox=DIR'

        Usage: mathison plan [OPTIONS] <STACK>

        For more information, try '--help'.
        ");
        assert!(!error(&["plan", "--sandbox", "s.yaml", "--wrong"]).contains("equals"));
        assert!(!error(&["plan", "dir", "s.yaml"]).contains("equals"));
    }

    #[test]
    fn no_color_and_ci_are_honoured() {
        let talk = request(&["schema"], &[("NO_COLOR", "1"), ("CI", "true")]).talk;
        assert!(!talk.color_stdout && !talk.color_stderr && !talk.live);
        assert!(request(&["schema", "--color", "always"], &[("NO_COLOR", "1")]).talk.color_stdout);
    }
}
