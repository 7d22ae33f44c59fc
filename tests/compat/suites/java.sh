# about: OpenJDK 17 in the directory: javac, jar, java from a class path of sealed jars, mapped files, file channels and locks, zip file system, jshell, jlink
# packages: openjdk-17-jdk-headless
# limit: 600

jdk=/usr/lib/jvm/java-17-openjdk-amd64
PATH=$jdk/bin:$PATH

version() { $jdk/bin/java --version | sed -n '1s/openjdk \([^ ]*\).*/\1/p'; }

sources() {
    mkdir -p src/lib src/app
    cat >src/lib/Words.java <<'TEXT'
package lib;
public class Words { public static String say(int n) { return "word" + n; } }
TEXT
    cat >src/app/Main.java <<'TEXT'
package app;
import java.io.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*; import java.nio.file.attribute.*; import java.util.*;
import java.util.concurrent.*; import java.util.zip.*; import java.security.*;
public class Main {
    interface Job { Object run() throws Exception; }
    static void test(String name, Job job) {
        String outcome;
        try { outcome = String.valueOf(job.run()); } catch (Throwable e) { outcome = "fail " + e; }
        System.out.println("RESULT\t" + name + "\t" + outcome.replace('\n', ' '));
    }
    static String digest(byte[] bytes) throws Exception { return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)).substring(0, 16); }
    static byte[] random(int size, int seed) { byte[] bytes = new byte[size]; new Random(seed).nextBytes(bytes); return bytes; }
    public static void main(String[] args) throws Exception {
        test("class path", () -> lib.Words.say(7));
        test("resource in jar", () -> new String(Main.class.getResourceAsStream("/note.txt").readAllBytes()).trim());
        Path file = Path.of("data.bin");
        test("Files.write", () -> { Files.write(file, random(3_000_000, 1)); return Files.size(file); });
        test("Files.readAllBytes", () -> digest(Files.readAllBytes(file)));
        test("map read", () -> { try (FileChannel c = FileChannel.open(file)) { ByteBuffer b = c.map(FileChannel.MapMode.READ_ONLY, 0, c.size()); byte[] a = new byte[b.remaining()]; b.get(a); return digest(a); } });
        test("map write", () -> { try (FileChannel c = FileChannel.open(Path.of("mapped"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer b = c.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20); for (int i = 0; i < 1 << 18; i++) b.putInt(i * 31); b.force(); ByteBuffer r = ByteBuffer.allocate(4); c.read(r, 4000); return r.getInt(0); } });
        test("mapped size", () -> Files.size(Path.of("mapped")));
        test("map copy on write", () -> { try (FileChannel c = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) { ByteBuffer b = c.map(FileChannel.MapMode.PRIVATE, 100, 100); b.put(0, (byte) 1); b.put(1, (byte) 2); return digest(Files.readAllBytes(file)); } });
        test("transferTo", () -> { try (FileChannel a = FileChannel.open(file); FileChannel b = FileChannel.open(Path.of("copy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) { long n = 0; while (n < a.size()) n += a.transferTo(n, a.size() - n, b); return n; } });
        test("transferred", () -> digest(Files.readAllBytes(Path.of("copy"))));
        test("transferFrom", () -> { try (FileChannel a = FileChannel.open(file); FileChannel b = FileChannel.open(Path.of("copy2"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) { return b.transferFrom(a, 0, a.size()); } });
        test("Files.mismatch", () -> Files.mismatch(file, Path.of("copy2")));
        test("Files.copy and move", () -> { Files.copy(file, Path.of("c3"), StandardCopyOption.COPY_ATTRIBUTES); Files.move(Path.of("c3"), Path.of("c4"), StandardCopyOption.ATOMIC_MOVE); return Files.mismatch(file, Path.of("c4")); });
        test("scatter and gather", () -> { try (FileChannel c = FileChannel.open(Path.of("sg"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) { ByteBuffer[] w = new ByteBuffer[20]; for (int i = 0; i < 20; i++) w[i] = ByteBuffer.wrap(random(1000 + i, i)); long n = 0, all = 0; for (ByteBuffer b : w) all += b.capacity(); while (n < all) n += c.write(w); c.position(0); ByteBuffer r = ByteBuffer.allocateDirect((int) all); while (r.hasRemaining() && c.read(r) >= 0); byte[] a = new byte[(int) all]; r.flip(); r.get(a); return digest(a); } });
        test("truncate", () -> { try (FileChannel c = FileChannel.open(Path.of("copy"), StandardOpenOption.WRITE)) { c.truncate(12345); return c.size() + " " + digest(Files.readAllBytes(Path.of("copy"))); } });
        test("append", () -> { try (FileChannel c = FileChannel.open(Path.of("copy"), StandardOpenOption.APPEND)) { c.write(ByteBuffer.wrap(random(777, 3))); return c.position() + " " + Files.size(Path.of("copy")); } });
        test("sparse", () -> { try (FileChannel c = FileChannel.open(Path.of("sparse"), StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.READ, StandardOpenOption.WRITE)) { c.write(ByteBuffer.wrap(new byte[]{5}), 10_000_000); ByteBuffer b = ByteBuffer.allocate(1); c.read(b, 5_000_000); return c.size() + " " + b.get(0); } });
        test("locks", () -> { try (FileChannel a = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.READ)) { FileLock l = a.lock(0, 10, false); String s; try { a.tryLock(5, 10, false); s = "no overlap found"; } catch (OverlappingFileLockException e) { s = "overlap"; } FileLock m = a.tryLock(20, 5, true); return s + " " + m.isShared() + " " + l.isValid(); } });
        test("RandomAccessFile", () -> { try (RandomAccessFile r = new RandomAccessFile("raf", "rws")) { r.writeUTF("héllo"); r.seek(100); r.writeLong(42); r.setLength(5000); r.seek(100); return r.readLong() + " " + r.length(); } });
        test("AsynchronousFileChannel", () -> { try (AsynchronousFileChannel c = AsynchronousFileChannel.open(Path.of("async"), StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ)) { List<Future<Integer>> w = new ArrayList<>(); for (int i = 0; i < 50; i++) w.add(c.write(ByteBuffer.wrap(random(9000, i)), i * 9000L)); int n = 0; for (Future<Integer> f : w) n += f.get(); return n + " " + digest(Files.readAllBytes(Path.of("async"))); } });
        test("8 threads on one channel", () -> { try (FileChannel c = FileChannel.open(Path.of("threads"), StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ)) { ExecutorService e = Executors.newFixedThreadPool(8); for (int i = 0; i < 400; i++) { int k = i; e.submit(() -> c.write(ByteBuffer.wrap(random(5000, k)), k * 5000L)); } e.shutdown(); e.awaitTermination(60, TimeUnit.SECONDS); return digest(Files.readAllBytes(Path.of("threads"))); } });
        test("zip", () -> { try (ZipOutputStream z = new ZipOutputStream(new FileOutputStream("a.zip"))) { for (int i = 0; i < 50; i++) { z.putNextEntry(new ZipEntry("e" + i)); z.write(random(3000, i)); z.closeEntry(); } } try (ZipFile z = new ZipFile("a.zip")) { return z.size() + " " + digest(z.getInputStream(z.getEntry("e7")).readAllBytes()); } });
        test("zip file system", () -> { try (FileSystem z = FileSystems.newFileSystem(Path.of("a.zip"), Map.of("create", "true"))) { Files.writeString(z.getPath("new"), "text"); Files.delete(z.getPath("e3")); } try (ZipFile z = new ZipFile("a.zip")) { return z.size(); } });
        test("gzip", () -> { try (OutputStream o = new GZIPOutputStream(new FileOutputStream("g.gz"))) { o.write(random(100000, 9)); } try (InputStream i = new GZIPInputStream(new FileInputStream("g.gz"))) { return digest(i.readAllBytes()); } });
        test("serialization", () -> { try (ObjectOutputStream o = new ObjectOutputStream(new BufferedOutputStream(new FileOutputStream("ser")))) { o.writeObject(new TreeMap<>(Map.of("a", 1, "b", 2))); } try (ObjectInputStream i = new ObjectInputStream(new FileInputStream("ser"))) { return i.readObject(); } });
        test("attributes", () -> { Path p = Files.writeString(Path.of("attr"), "x"); Files.setPosixFilePermissions(p, PosixFilePermissions.fromString("rwxr-x---")); Files.setLastModifiedTime(p, FileTime.fromMillis(1_000_000_000_000L)); Files.setAttribute(p, "user:note", ByteBuffer.wrap("n".getBytes())); return PosixFilePermissions.toString(Files.getPosixFilePermissions(p)) + " " + Files.getLastModifiedTime(p) + " " + Files.size(p) + " " + Files.getAttribute(p, "unix:mode") + " " + Files.getAttribute(p, "unix:nlink"); });
        test("temporary files", () -> { Path d = Files.createTempDirectory(Path.of("."), "t"); Path p = Files.createTempFile(d, "a", "b"); Files.writeString(p, "temp"); return Files.readString(p); });
        test("delete on close", () -> { Path p = Path.of("gone"); try (SeekableByteChannel c = Files.newByteChannel(p, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE)) { c.write(ByteBuffer.wrap(new byte[10])); } return Files.exists(p); });
        test("walk", () -> { long[] sum = {0}; try (var s = Files.walk(Path.of("src"))) { s.sorted().forEach(p -> { try { sum[0] += Files.size(p) * (Files.isDirectory(p) ? 0 : 1); } catch (IOException e) { sum[0] = -1; } }); } return sum[0]; });
        test("watch", () -> { WatchService w = FileSystems.getDefault().newWatchService(); Path d = Files.createDirectory(Path.of("watched")); d.register(w, StandardWatchEventKinds.ENTRY_CREATE); Files.writeString(d.resolve("n"), "x"); WatchKey k = w.poll(20, TimeUnit.SECONDS); return k.pollEvents().get(0).context(); });
        test("process with redirects", () -> { int s = new ProcessBuilder("sh", "-c", "cat; echo to stderr >&2").redirectInput(new File("src/lib/Words.java")).redirectOutput(new File("p.out")).redirectError(new File("p.err")).start().waitFor(); return s + " " + Files.size(Path.of("p.out")) + " " + Files.readString(Path.of("p.err")); });
        test("properties", () -> { Properties p = new Properties(); p.setProperty("k", "v"); try (Writer w = new FileWriter("p.properties")) { p.store(w, "c"); } Properties q = new Properties(); try (Reader r = new FileReader("p.properties")) { q.load(r); } return q; });
        test("log file", () -> { var h = new java.util.logging.FileHandler("log%g.txt", 2000, 3); h.setFormatter(new java.util.logging.SimpleFormatter() { public String format(java.util.logging.LogRecord r) { return r.getMessage() + "\n"; } }); var l = java.util.logging.Logger.getLogger("x"); l.setUseParentHandlers(false); l.addHandler(h); for (int i = 0; i < 500; i++) l.info("line " + i); h.close(); return Files.size(Path.of("log0.txt")) + " " + Files.size(Path.of("log1.txt")); });
    }
}
TEXT
    echo "a note" >note.txt
}

suite() {
    export JAVA_TOOL_OPTIONS=-Xmx256m
    sources
    check "javac" javac -d classes/lib src/lib/Words.java
    check "jar" jar --create --file lib.jar -C classes/lib .
    check "javac against a jar" javac -cp lib.jar -d classes/app src/app/Main.java
    check "jar with manifest" bash -c 'printf "Class-Path: lib.jar\nMain-Class: app.Main\n" >m; jar -cfm app.jar m -C classes/app . note.txt'
    value "jar -t" bash -c 'jar -tf app.jar | sort | head -n 20'
    java -jar app.jar
    value "java Source.java" bash -c 'echo "class A { public static void main(String[] a) { System.out.println(6 * 7); } }" >A.java; java A.java'
    value "jshell" bash -c "printf 'System.out.println(1 + 2);\njava.nio.file.Files.writeString(java.nio.file.Path.of(\"js\"), \"from jshell\");\n/exit\n' | jshell -s -; cat js"
    check "jlink" jlink --add-modules java.base --output image
    mkdir probe; echo "class Probe { public static void main(String[] a) { System.out.println(lib.Words.say(9)); } }" >probe/Probe.java
    check "javac in the directory" javac -cp classes/lib -d probe probe/Probe.java
    value "java in the directory" image/bin/java -cp classes/lib:probe Probe
    value "class data sharing" bash -c 'java -XX:ArchiveClassesAtExit=app.jsa -cp app.jar:lib.jar app.Main >/dev/null 2>&1; java -XX:SharedArchiveFile=app.jsa -Xshare:auto -cp A.jar:app.jar:lib.jar -version 2>&1 | head -n 1'
    value "javap" bash -c 'javap -cp lib.jar lib.Words'
    value "serial, parallel, G1, Z" bash -c 'for gc in Serial Parallel G1 Z; do java -XX:+Use${gc}GC -cp image -Xlog:gc:file=gc.$gc.log A.java; done'
}
