# Everything that CI does.
check:
    bash .ci/run

# The same with larger counts.
long:
    bash .ci/long

# Writes the test vectors anew.
vectors:
    cargo run -p unbroken-vectors

demo:
    cargo run --release -- demo
