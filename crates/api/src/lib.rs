//! The HTTP service of Tidemill
