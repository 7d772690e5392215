//! `cargo run -p unbroken-vectors` writes `spec/vectors` anew.

fn main() -> std::io::Result<()> {
    unbroken_vectors::write(std::path::Path::new("spec/vectors"))
}
