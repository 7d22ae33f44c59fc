# about: OpenJDK: RandomAccessFile, channels, Files, locks, zip file system, mapped reading
# needs: java
# case-limit: 120

case_files() {
    cp "$PARTS/java/Main.java" "$OUTSIDE/Main.java"
    java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$OUTSIDE/Main.java"
    sort log | checksum; volatile 'case_files/log' 'case_files/z.zip'
    checksum a r sent moved
}
