import java.io.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
public class Main {
    public static void main(String[] arguments) throws Exception {
        String marker = System.getenv("MARKER");
        Path inputs = Path.of(System.getenv("INPUTS"));
        Files.writeString(Path.of("a"), "hello " + marker + "\n");
        Files.writeString(Path.of("a"), "more\n", StandardOpenOption.APPEND);
        System.out.print(Files.readString(Path.of("a")));
        Files.copy(inputs.resolve("text.txt"), Path.of("text"));
        System.out.println(
            Files.size(Path.of("text")) + " " + Files.mismatch(Path.of("text"), inputs.resolve("text.txt")));
        try (RandomAccessFile f = new RandomAccessFile("r", "rw")) {
            f.setLength(100000);
            f.seek(50000);
            f.writeUTF(marker);
            f.seek(50000);
            System.out.println(f.readUTF().equals(marker) + " " + f.length() + " " + f.getFilePointer());
            f.setLength(60000);
        }
        try (FileChannel c = FileChannel.open(Path.of("r"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            c.write(new ByteBuffer[] {ByteBuffer.wrap("gathered ".getBytes()), ByteBuffer.wrap(marker.getBytes())});
            c.write(ByteBuffer.wrap("tail".getBytes()), c.size());
            c.force(true);
            try (FileLock lock = c.lock(0, 100, false)) {
                System.out.println(lock.isValid());
            }
            ByteBuffer b = ByteBuffer.allocateDirect(8);
            c.read(b, 0);
            b.flip();
            System.out.println((char) b.get() + " " + c.size() + " " + c.position());
            MappedByteBuffer m = c.map(FileChannel.MapMode.READ_ONLY, 0, c.size());
            System.out.println((char) m.get(0) + " " + m.capacity());
            MappedByteBuffer p = c.map(FileChannel.MapMode.PRIVATE, 0, 1000);
            p.put(0, (byte) 'X');
            System.out.println((char) c.map(FileChannel.MapMode.READ_ONLY, 0, 10).get(0));
        }
        try (FileChannel from = FileChannel.open(Path.of("text"));
             FileChannel to = FileChannel.open(Path.of("sent"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            System.out.println(
                from.transferTo(1000, 200000, to) + " " + to.transferFrom(from.position(0), 200000, 5000));
        }
        try (PrintWriter w = new PrintWriter(new BufferedWriter(new FileWriter("lines")))) {
            for (int i = 0; i < 5000; i++) w.println(i + " " + marker);
        }
        try (Stream<String> lines = Files.lines(Path.of("lines"))) {
            System.out.println(lines.filter(l -> l.startsWith("49")).count());
        }
        Files.move(Path.of("lines"), Path.of("moved"), StandardCopyOption.ATOMIC_MOVE);
        Files.createLink(Path.of("linked"), Path.of("moved"));
        Files.createSymbolicLink(Path.of("soft"), Path.of("moved"));
        try (FileSystem zip = FileSystems.newFileSystem(Path.of("z.zip"), Map.of("create", "true"))) {
            Files.copy(Path.of("text"), zip.getPath("text"));
        }
        try (FileSystem zip = FileSystems.newFileSystem(Path.of("z.zip"))) {
            System.out.println(Files.size(zip.getPath("text")));
        }
        List<Thread> threads = new ArrayList<>();
        for (int n = 0; n < 4; n++) {
            int id = n;
            Thread t = new Thread(() -> {
                try {
                    for (int i = 0; i < 50; i++)
                        Files.writeString(Path.of("log"), id + " " + i + " " + marker + "\n", StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            threads.add(t);
            t.start();
        }
        for (Thread t : threads) t.join();
        System.out.println(Files.readAllLines(Path.of("log")).stream().distinct().count());
        try {
            Files.readString(Path.of("missing"));
        } catch (NoSuchFileException e) {
            System.out.println("no such file");
        }
        try (Stream<Path> all = Files.walk(Path.of("."))) {
            System.out.println(all.map(Path::toString).sorted().collect(Collectors.joining(" ")));
        }
    }
}
