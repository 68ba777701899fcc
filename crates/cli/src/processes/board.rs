//! How many connections each host has, where all of them can read it.
//!
//! A file of numbers, one row a host, read and written at a place with one system call: twice for
//! a connection, which costs many. A host that has more than its share leaves the next connection
//! to the others (see [`AcceptShare`]).

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Mutex, PoisonError},
};

use server::AcceptShare;

/// The supervisor's view.
pub(super) struct Board {
    file: File,
    taken: Vec<bool>,
}

impl Board {
    /// An empty board for so many hosts at a time.
    pub(super) fn new(rows: usize) -> io::Result<Self> {
        let file = super::journal::shared_file("wptserve-board")?;
        file.write_all_at(&vec![0xff; rows * ROW], 0)?;
        Ok(Self { file, taken: vec![false; rows] })
    }

    /// Another descriptor of the file, for a host.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// A row for a host, if one is free.
    pub(super) fn take_row(&mut self) -> Option<usize> {
        let row = self.taken.iter().position(|taken| !taken)?;
        self.taken[row] = true;
        Some(row)
    }

    /// Frees the row of a host that is gone.
    pub(super) fn free_row(&mut self, row: usize) {
        write(&self.file, row, NOBODY);
        self.taken[row] = false;
    }
}

/// A host's view.
pub(super) struct Row {
    file: File,
    row: usize,
    /// The host's connections; `NOBODY` once it accepts no more.
    mine: Mutex<u32>,
}

impl Row {
    /// The row of a host that accepts.
    pub(super) fn new(file: File, row: usize) -> Self {
        write(&file, row, 0);
        Self { file, row, mine: Mutex::new(0) }
    }

    /// The host accepts no more: the others do not count on it.
    pub(super) fn leave(&self) {
        self.change(|_| NOBODY);
    }

    fn change(&self, change: impl FnOnce(u32) -> u32) {
        let mut mine = self.mine.lock().unwrap_or_else(PoisonError::into_inner);
        if *mine != NOBODY {
            *mine = change(*mine);
            write(&self.file, self.row, *mine);
        }
    }
}

impl AcceptShare for Row {
    fn opened(&self) {
        self.change(|mine| mine.saturating_add(1));
    }

    fn closed(&self) {
        self.change(|mine| mine.saturating_sub(1));
    }

    fn is_ahead(&self) -> bool {
        let mine = *self.mine.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = [0xff; MOST_ROWS * ROW];
        // What cannot be read says nothing of the others.
        let Ok(read) = self.file.read_at(&mut rows, 0) else { return false };
        // All rows but this one.
        let others = rows[..read].chunks_exact(ROW).enumerate().filter(|(row, _)| *row != self.row);
        let others = others.filter_map(|(_, row)| row.try_into().ok().map(u32::from_le_bytes));
        let least = others.filter(|count| *count != NOBODY).min();
        // Where there are many, a few more do not matter.
        least.is_some_and(|least| mine > least + least / 8)
    }
}

fn write(file: &File, row: usize, count: u32) {
    // A row that cannot be written keeps its number, and connections spread less evenly.
    let _stale = file.write_all_at(&count.to_le_bytes(), (row * ROW) as u64);
}

/// More than these are not looked at.
pub(super) const MOST_ROWS: usize = 1024;
const ROW: usize = size_of::<u32>();
const NOBODY: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_than_another_is_ahead() {
        let mut board = Board::new(3).unwrap();
        let mut host = || Row::new(board.file().unwrap(), board.take_row().unwrap());
        let (one, two) = (host(), host());
        assert!(!one.is_ahead());
        one.opened();
        assert!(one.is_ahead());
        assert!(!two.is_ahead());
        two.opened();
        assert!(!one.is_ahead());
        one.opened();
        two.leave();
        // Nobody else accepts.
        assert!(!one.is_ahead());
        two.opened();
        assert!(!one.is_ahead());
        let three = host();
        assert!(one.is_ahead());
        assert_eq!(board.take_row(), None);
        board.free_row(2);
        assert!(!one.is_ahead());
        assert_eq!(board.take_row(), Some(2));
        drop(three);
    }

    #[test]
    fn among_many_a_few_more_do_not_matter() {
        let mut board = Board::new(2).unwrap();
        let mut host = || Row::new(board.file().unwrap(), board.take_row().unwrap());
        let (one, two) = (host(), host());
        for _ in 0..80 {
            one.opened();
            two.opened();
        }
        for _ in 0..10 {
            one.opened();
        }
        assert!(!one.is_ahead());
        one.opened();
        assert!(one.is_ahead());
        one.closed();
        assert!(!one.is_ahead());
    }
}
