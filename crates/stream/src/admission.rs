//! Who becomes a subscriber, and of what: decided before the upgrade.

use std::net::IpAddr;

use blockwright_listen::{Full, Slot};
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use crate::entry::Format;
use crate::feed::Feed;
use crate::hub::{NotHeld, Start};
use crate::key::Admitted;
use crate::key_slots::KeySlot;
use crate::notices;
use crate::position::Position;
use crate::query::{self, Asked};
use crate::refusal::http_error;
use crate::subscriber::Shared;
use crate::{key, metrics};

/// Says in the answer to a subscriber with a position that the stream goes on behind it.
const RESUMED: &str = "flashblocks-resumed";

/// Looks at the request; leaves what an admitted one gets.
pub(crate) struct Admission<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) peer: IpAddr,
    pub(crate) guest: &'a mut Option<Guest>,
}

/// Somebody who was admitted.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) feed: Feed,
    /// Its place among all subscribers.
    pub(crate) slot: Slot,
    /// Its place among those with the same key, where keys are asked for.
    pub(crate) key_slot: Option<KeySlot>,
}

/// An HTTP answer in place of the upgrade.
struct Refused {
    /// Stable label for metrics.
    label: &'static str,
    status: StatusCode,
    text: String,
}

impl Callback for Admission<'_> {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        match admit(self.shared, self.peer, request) {
            Ok(guest) => {
                if guest.feed.continues() {
                    let headers = response.headers_mut();
                    headers.insert(RESUMED, HeaderValue::from_static("true"));
                }
                *self.guest = Some(guest);
                Ok(response)
            }
            Err(refused) => {
                metrics::refused(refused.label);
                Err(http_error(refused.status, refused.text))
            }
        }
    }
}

/// The key comes first: a stranger learns nothing, not even what is held.
fn admit(shared: &Shared, peer: IpAddr, request: &Request) -> Result<Guest, Refused> {
    let key_slot = match key::admitted(&shared.api_keys, request) {
        Admitted::Anybody => None,
        Admitted::Holder(number) => Some(key_slot(shared, number)?),
        Admitted::Stranger => {
            return Err(Refused {
                label: "key",
                status: StatusCode::UNAUTHORIZED,
                text: "an API key is needed: as \"Authorization: Bearer KEY\" or ?api_key=KEY\n"
                    .to_owned(),
            });
        }
    };
    let slot = shared.slots.take(peer).map_err(full)?;
    let feed = feed(shared, request)?;
    Ok(Guest {
        feed,
        slot,
        key_slot,
    })
}

fn full(full: Full) -> Refused {
    match full {
        Full::Total => Refused {
            label: "total_limit",
            status: StatusCode::SERVICE_UNAVAILABLE,
            text: "all subscriptions are taken, try again later\n".to_owned(),
        },
        Full::Address => Refused {
            label: "address_limit",
            status: StatusCode::TOO_MANY_REQUESTS,
            text: "too many subscriptions from this address\n".to_owned(),
        },
    }
}

fn key_slot(shared: &Shared, number: usize) -> Result<KeySlot, Refused> {
    shared.key_slots.take(number).ok_or_else(|| Refused {
        label: "key_limit",
        status: StatusCode::TOO_MANY_REQUESTS,
        text: "too many subscriptions with this API key\n".to_owned(),
    })
}

fn feed(shared: &Shared, request: &Request) -> Result<Feed, Refused> {
    let path = request.uri().path();
    if path.strip_suffix('/').unwrap_or(path) == notices::PATH {
        return match &shared.notices {
            Some(notices) => Ok(Feed::Notices(notices.subscribe())),
            None => Err(Refused {
                label: "path",
                status: StatusCode::NOT_FOUND,
                text: "a relay has no notices: the builder has\n".to_owned(),
            }),
        };
    }
    let query = request.uri().query().unwrap_or_default();
    let Asked { format, start } = query::parse(query, &shared.served).map_err(|text| Refused {
        label: "query",
        status: StatusCode::BAD_REQUEST,
        text,
    })?;
    subscribe(shared, format, start)
}

fn subscribe(shared: &Shared, format: Format, start: Start) -> Result<Feed, Refused> {
    let reader = shared.hub.subscribe(start).map_err(|not_held| Refused {
        label: "position",
        status: StatusCode::GONE,
        text: explain(&not_held),
    })?;
    if matches!(start, Start::After(_)) {
        metrics::resumed();
    }
    Ok(Feed::Flashblocks { reader, format })
}

fn explain(not_held: &NotHeld) -> String {
    let place = |position: &Position| {
        format!(
            "block_number={}&flashblock_index={}",
            position.block_number, position.index
        )
    };
    let held = match &not_held.span {
        Some((oldest, newest)) => format!("held are {} to {}", place(oldest), place(newest)),
        None => "nothing is held".to_owned(),
    };
    format!(
        "the position to resume from is not held, {held}: connect without block_number and \
         flashblock_index to begin with the current block\n"
    )
}
