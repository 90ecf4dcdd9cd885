//! Which transaction goes over which connection.

/// The load's order of sending, dealt to the connections in turns of `group` transactions: what is
/// due at one moment is one request, and every connection has its own senders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// Transactions a turn, at least 1.
    pub(crate) group: u64,
    /// Connections, at least 1 and at most as many as senders.
    pub(crate) lanes: u64,
    /// Accounts that send.
    pub(crate) senders: u64,
    /// Transactions of the load.
    pub(crate) total: u64,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its connection.
    pub(crate) lane: u64,
    /// How many go before it over that connection.
    pub(crate) position: u64,
}

impl Order {
    pub(crate) const fn place(&self, index: u64) -> Place {
        let group = index / self.group;
        Place {
            lane: group % self.lanes,
            position: group / self.lanes * self.group + index % self.group,
        }
    }

    /// The place's index in the order of sending; for places beyond the load, at least `total`.
    pub(crate) const fn index(&self, place: Place) -> u64 {
        self.group_of(place) * self.group + place.position % self.group
    }

    /// Number of the group that a place belongs to.
    pub(crate) const fn group_of(&self, place: Place) -> u64 {
        place.position / self.group * self.lanes + place.lane
    }

    /// Transactions that go over a connection.
    pub(crate) const fn lane_len(&self, lane: u64) -> u64 {
        let turn = self.group * self.lanes;
        let rest = (self.total % turn).saturating_sub(lane * self.group);
        let last = if rest < self.group { rest } else { self.group };
        self.total / turn * self.group + last
    }

    /// Sender (below `senders`) and nonce of a place: a connection's senders take turns.
    pub(crate) const fn sender(&self, place: Place) -> (u64, u64) {
        let own = (self.senders - place.lane).div_ceil(self.lanes);
        let sender = place.lane + place.position % own * self.lanes;
        (sender, place.position / own)
    }
}
