//! The time-driven loops of Tidemill
