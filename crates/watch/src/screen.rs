//! A monitor in a terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use crate::{BlockSeen, FlashblockSeen, Monitor};

/// What stands above the tables.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// Where the frames come from.
    pub source: String,
    /// Why there are none at present.
    pub trouble: Option<String>,
}

/// Draws the last blocks, the flashblocks of the newest, and what is wrong.
pub fn draw(frame: &mut Frame<'_>, monitor: &Monitor, header: &Header) {
    let findings = recent_findings(monitor);
    let [top, blocks, flashblocks, bottom] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Fill(1),
        Constraint::Length(15),
        Constraint::Length(if findings.is_empty() { 0 } else { 6 }),
    ])
    .areas(frame.area());
    frame.render_widget(summary(monitor, header), top);
    draw_blocks(frame, monitor, blocks);
    draw_flashblocks(frame, monitor.blocks().back(), flashblocks);
    let lines: Vec<Line<'_>> = findings.into_iter().map(Line::from).collect();
    let bad = Style::new().fg(Color::Red);
    let wrong = Paragraph::new(lines).style(bad);
    frame.render_widget(wrong.block(Block::bordered().title("wrong")), bottom);
}

fn summary<'a>(monitor: &Monitor, header: &'a Header) -> Paragraph<'a> {
    let totals = monitor.totals();
    let state = match &header.trouble {
        Some(trouble) => Span::styled(trouble.as_str(), Style::new().fg(Color::Red)),
        None => Span::styled("connected", Style::new().fg(Color::Green)),
    };
    let sums = format!(
        "{} frames, {:.1} MB, {} transactions, {} findings   q quits",
        totals.frames,
        totals.bytes as f64 / 1e6,
        totals.transactions,
        totals.findings
    );
    let first = Line::from(vec![
        Span::styled(
            header.source.as_str(),
            Style::new().add_modifier(Modifier::BOLD),
        ),
        Span::raw("  "),
        state,
    ]);
    Paragraph::new(vec![first, Line::from(sums)])
}

fn draw_blocks(frame: &mut Frame<'_>, monitor: &Monitor, area: Rect) {
    let room = usize::from(area.height.saturating_sub(3));
    let rows = monitor.blocks().iter().rev().take(room).map(|block| {
        let wrong = block.findings().count();
        let style = if wrong > 0 {
            Style::new().fg(Color::Red)
        } else {
            Style::new()
        };
        Row::new([
            block.number.to_string(),
            block.flashblocks.len().to_string(),
            block.transactions.to_string(),
            format!("{:.2}", block.gas_used() as f64 / 1e6),
            share(block),
            first_ms(block),
            arrivals_ms(block),
            if wrong == 0 {
                "ok".to_owned()
            } else {
                wrong.to_string()
            },
        ])
        .style(style)
    });
    let widths = [12, 6, 8, 9, 8, 10, 20, 6].map(Constraint::Length);
    let table = Table::new(rows, widths)
        .header(head([
            "block", "parts", "txs", "Mgas", "limit %", "first ms", "slot ms", "check",
        ]))
        .block(Block::bordered().title("blocks"));
    frame.render_widget(table, area);
}

/// Share of the gas limit.
fn share(block: &BlockSeen) -> String {
    match block.gas_limit {
        Some(limit) if limit > 0 => {
            format!("{:.1}", block.gas_used() as f64 * 100.0 / limit as f64)
        }
        _ => "-".to_owned(),
    }
}

/// When the first transactions of the pool came, from the first flashblock on.
fn first_ms(block: &BlockSeen) -> String {
    let begun = block.flashblocks.first().map(|seen| seen.at_us);
    let loaded = block
        .flashblocks
        .iter()
        .find(|seen| seen.index > 0 && seen.transactions > 0);
    match (begun, loaded) {
        (Some(begun), Some(seen)) => {
            format!("{:.1}", seen.at_us.saturating_sub(begun) as f64 / 1e3)
        }
        _ => "-".to_owned(),
    }
}

/// When the first and the last flashblock came, from the block's timestamp on.
fn arrivals_ms(block: &BlockSeen) -> String {
    block.arrival_ms().map_or_else(
        || "-".to_owned(),
        |(first, last)| format!("{first:.0} to {last:.0}"),
    )
}

fn draw_flashblocks(frame: &mut Frame<'_>, block: Option<&BlockSeen>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(3));
    let seen = block
        .map(|block| &block.flashblocks[..])
        .unwrap_or_default();
    let rows = seen.iter().rev().take(room).map(flashblock_row);
    let title = block.map_or_else(
        || "flashblocks".to_owned(),
        |block| format!("flashblocks of {} ({})", block.number, block.payload_id),
    );
    let widths = [6, 8, 11, 9, 10, 6, 9, 68].map(Constraint::Length);
    let table = Table::new(rows, widths)
        .header(head([
            "index",
            "txs",
            "gas",
            "kB",
            "after ms",
            "root",
            "proved",
            "block hash",
        ]))
        .block(Block::bordered().title(title));
    frame.render_widget(table, area);
}

fn flashblock_row(seen: &FlashblockSeen) -> Row<'static> {
    let since = seen.since_previous_ms;
    let proved = match seen.verified {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    };
    Row::new([
        seen.index.to_string(),
        seen.transactions.to_string(),
        seen.gas_used.to_string(),
        format!("{:.1}", seen.size_bytes as f64 / 1e3),
        since.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}")),
        if seen.has_root { "yes" } else { "no" }.to_owned(),
        proved.to_owned(),
        if seen.has_root {
            seen.block_hash.to_string()
        } else {
            "no roots".to_owned()
        },
    ])
    .style(if seen.findings.is_empty() {
        Style::new()
    } else {
        Style::new().fg(Color::Red)
    })
}

fn head<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    Row::new(names.map(Cell::from)).style(bold)
}

fn recent_findings(monitor: &Monitor) -> Vec<String> {
    let notes = monitor.notes().iter().rev().take(2).cloned();
    let blocks = monitor.blocks().iter().rev();
    let each = blocks.flat_map(|block| {
        block.flashblocks.iter().rev().flat_map(|seen| {
            let place = format!("{}-{}", seen.block_number, seen.index);
            seen.findings
                .iter()
                .map(move |finding| format!("{place} {:?}: {}", finding.kind, finding.text))
        })
    });
    notes.chain(each).take(4).collect()
}
