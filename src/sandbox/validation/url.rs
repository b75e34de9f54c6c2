//! Addresses of webhooks, read as Go's `url.Parse` does.

/// The parts of an address that the server looks at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Url<'t> {
    pub(super) scheme: String,
    pub(super) user: Option<&'t str>,
    pub(super) host: &'t str,
    pub(super) query: &'t str,
    pub(super) fragment: &'t str,
}

/// Reads an address.
///
/// # Errors
/// In Go's words.
pub(super) fn parse(text: &str) -> Result<Url<'_>, String> {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let failed = |whole: &str, error: String| format!("parse {whole:?}: {error}");
    let mut url = without_fragment(address).map_err(|error| failed(address, error))?;
    escapes(fragment).map_err(|error| failed(text, error))?;
    url.fragment = fragment;
    Ok(url)
}

fn without_fragment(text: &str) -> Result<Url<'_>, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let (scheme, rest) = scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut url = Url { scheme: scheme.to_ascii_lowercase(), query, ..Url::default() };
    if !rest.starts_with('/') {
        if scheme.is_empty() && rest.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
        if scheme.is_empty() {
            escapes(rest)?;
        }
        return Ok(url);
    }
    let has_authority = !scheme.is_empty() || !rest.starts_with("///");
    let Some(authority) = rest.strip_prefix("//").filter(|_| has_authority) else {
        return escapes(rest).map(|()| url);
    };
    let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    of_host(host)?;
    if let Some(user) = user {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(is_plain) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        escapes(user)?;
    }
    escapes(path)?;
    (url.user, url.host) = (user, host);
    Ok(url)
}

/// Splits off the scheme, if there is one.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    let is_more = |letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.');
    for (index, letter) in text.char_indices() {
        match letter {
            ':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((text.get(..index).unwrap_or_default(), text.get(index + 1..).unwrap_or_default())),
            letter if letter.is_ascii_alphabetic() || (is_more(letter) && index > 0) => {}
            _ => break,
        }
    }
    Ok(("", text))
}

fn of_host(host: &str) -> Result<(), String> {
    let port = if host.starts_with('[') {
        host.rsplit_once(']').ok_or("missing ']' in host")?.1
    } else {
        host.rfind(':').and_then(|index| host.get(index..)).unwrap_or_default()
    };
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_port {
        return Err(format!("invalid port {port:?} after host"));
    }
    let mut letters = host.char_indices();
    while let Some((index, letter)) = letters.next() {
        let is_plain = letter.is_ascii_alphanumeric() || "!$&'()*+,;=:[]<>\"-_.~".contains(letter);
        if letter == '%' {
            // Only what is beyond ASCII may be written this way.
            let escape = host.get(index..index + 3).filter(|escape| is_escape(escape));
            let is_beyond = escape.is_some_and(|escape| !matches!(escape.as_bytes().get(1), Some(b'0'..=b'7')));
            if !is_beyond && escape != Some("%25") {
                return Err(bad_escape(host, index));
            }
            letters.nth(1);
        } else if letter.is_ascii() && !is_plain {
            return Err(format!("invalid character {:?} in host name", letter.to_string()));
        }
    }
    Ok(())
}

fn is_escape(text: &str) -> bool {
    text.strip_prefix('%')
        .is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn escapes(text: &str) -> Result<(), String> {
    let mut wrong = text.match_indices('%').map(|(index, _)| index);
    match wrong.find(|index| !text.get(*index..index + 3).is_some_and(is_escape)) {
        Some(index) => Err(bad_escape(text, index)),
        None => Ok(()),
    }
}

fn bad_escape(text: &str, index: usize) -> String {
    let shown: String = text.get(index..).unwrap_or_default().chars().take(3).collect();
    format!("invalid URL escape {shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_in_the_words_of_go() {
        let told = |text: &str| parse(text).unwrap_err();
        assert_eq!(told("https://a:b/"), r#"parse "https://a:b/": invalid port ":b" after host"#);
        assert_eq!(told("https://a%zz"), r#"parse "https://a%zz": invalid URL escape "%zz""#);
        assert_eq!(told("https://${H}/x"), r#"parse "https://${H}/x": invalid character "{" in host name"#);
        assert_eq!(told("https://a/%"), r#"parse "https://a/%": invalid URL escape "%""#);
        assert_eq!(told("https://a#%zz"), r#"parse "https://a#%zz": invalid URL escape "%zz""#);
        assert_eq!(told("https://[::1"), r#"parse "https://[::1": missing ']' in host"#);
        assert_eq!(told("://a"), r#"parse "://a": missing protocol scheme"#);
        assert_eq!(told("1:a/b"), r#"parse "1:a/b": first path segment in URL cannot contain colon"#);
        assert_eq!(told("https://é%é"), r#"parse "https://é%é": invalid URL escape "%é""#);
    }

    #[test]
    fn parts_of_addresses_are_found() {
        let url = parse("HTTPS://u@a:80/b?c#d").unwrap();
        assert_eq!(url, Url { scheme: "https".into(), user: Some("u"), host: "a:80", query: "c", fragment: "d" });
        assert_eq!(parse("https:a").unwrap().host, "");
        assert_eq!(parse("https://[::1]:80/").unwrap().host, "[::1]:80");
    }
}
