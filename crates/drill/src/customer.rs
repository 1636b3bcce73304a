//! A registered customer, who logs in and must stay logged in.

use std::time::Instant;

use crate::http::{Client, Cookies, Request, Response};
use crate::outcome::Failure;
use crate::record::RequestKind;
use crate::shop::{expect, expect_status};

pub(crate) const LOGIN_PATH: &str = "/account/login";
const ACCOUNT_PATH: &str = "/account";

/// Opens the form, logs in, opens the account, and begins anew as a stranger: one request each time.
pub(crate) struct Customer {
    email: String,
    name: String,
    password: String,
    cookies: Cookies,
    step: Step,
    loss: Option<String>,
}

#[derive(Debug)]
enum Step {
    Stranger,
    HasForm { form_key: String },
    LoggedIn,
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Customer")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

impl Customer {
    pub(crate) fn new(email: String, name: String, password: String) -> Self {
        let cookies = Cookies::default();
        Self {
            email,
            name,
            password,
            cookies,
            step: Step::Stranger,
            loss: None,
        }
    }

    /// Creates the account, at which the customer is logged in.
    pub(crate) fn register(&mut self, client: &Client, deadline: Instant) -> Result<(), Failure> {
        let form = client.send(&Request::get(LOGIN_PATH), &mut self.cookies, deadline)?;
        expect_status(&form, 200)?;
        let form_key = form_key(&form.text()).ok_or(Failure::WrongContent)?;
        let fields = vec![
            ("form_key", form_key),
            ("name", self.name.clone()),
            ("email", self.email.clone()),
            ("password", self.password.clone()),
        ];
        let request = Request::post("/account/register", fields);
        let answer = client.send(&request, &mut self.cookies, deadline)?;
        expect_status(&answer, 303)?;
        self.step = Step::LoggedIn;
        Ok(())
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        matches!(self.step, Step::LoggedIn)
    }

    /// What the next request is.
    pub(crate) fn next_kind(&self) -> RequestKind {
        match self.step {
            Step::Stranger => RequestKind::LoginForm,
            Step::HasForm { .. } => RequestKind::Login,
            Step::LoggedIn => RequestKind::Account,
        }
    }

    /// Sends it. Without an answer the customer begins anew.
    pub(crate) fn send_next(
        &mut self,
        client: &Client,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let request = match &self.step {
            Step::Stranger => Request::get(LOGIN_PATH),
            Step::HasForm { form_key } => {
                let fields = vec![
                    ("form_key", form_key.clone()),
                    ("email", self.email.clone()),
                    ("password", self.password.clone()),
                ];
                Request::post(LOGIN_PATH, fields)
            }
            Step::LoggedIn => Request::get(ACCOUNT_PATH),
        };
        let answer = client.send(&request, &mut self.cookies, deadline);
        if answer.is_err() && !self.is_logged_in() {
            self.begin_anew();
        }
        answer
    }

    /// Judges the answer and takes the step that it allows.
    pub(crate) fn take_answer(&mut self, response: &Response) -> Result<(), Failure> {
        let step = match self.step {
            Step::Stranger => expect_status(response, 200).and_then(|()| {
                let form_key = form_key(&response.text()).ok_or(Failure::WrongContent)?;
                Ok(Step::HasForm { form_key })
            }),
            Step::HasForm { .. } => expect_status(response, 303).map(|()| Step::LoggedIn),
            Step::LoggedIn if response.status == 303 => {
                self.loss = Some(format!(
                    "{} was logged in and is a stranger again",
                    self.email
                ));
                Err(Failure::WrongContent)
            }
            Step::LoggedIn => {
                // Another status is no answer to the question whether the session is still there.
                expect_status(response, 200)?;
                expect(response.text().contains(&self.name)).map(|()| Step::Stranger)
            }
        };
        match step {
            Ok(Step::Stranger) => {
                self.begin_anew();
                Ok(())
            }
            Ok(step) => {
                self.step = step;
                Ok(())
            }
            Err(failure) => {
                self.begin_anew();
                Err(failure)
            }
        }
    }

    /// What was lost, once.
    pub(crate) fn take_loss(&mut self) -> Option<String> {
        self.loss.take()
    }

    fn begin_anew(&mut self) {
        self.cookies = Cookies::default();
        self.step = Step::Stranger;
    }
}

/// The value that a form of the storefront must send back.
fn form_key(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("name=\"form_key\" value=\"")?;
    let (key, _) = rest.split_once('"')?;
    (!key.is_empty()).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_key_is_found() {
        let page = r#"<input type="hidden" name="form_key" value="abc"><input name="email">"#;
        assert_eq!(form_key(page).as_deref(), Some("abc"));
        assert_eq!(form_key(r#"<input name="form_key" value="">"#), None);
        assert_eq!(form_key("<html>"), None);
    }

    #[test]
    fn no_password_is_shown() {
        let customer = Customer::new(
            "a@example.com".to_owned(),
            "A".to_owned(),
            "hush-hush".to_owned(),
        );
        assert!(!format!("{customer:?}").contains("hush"));
    }
}
