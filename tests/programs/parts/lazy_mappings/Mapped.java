import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** Null pointers, which the virtual machine learns of by SIGSEGV, and a stack that overflows, beside a mapping that is filled by faults. */
public class Mapped {
    static String nothing;

    static int deeper(int n) {
        return deeper(n + 1) + 1;
    }

    public static void main(String[] arguments) throws Exception {
        RandomAccessFile file = new RandomAccessFile("big", "rw");
        MappedByteBuffer map = file.getChannel().map(FileChannel.MapMode.PRIVATE, 0, file.length());
        file.close();
        int caught = 0, right = 0;
        for (int i = 0; i < 40000; i++) {
            try {
                right += map.get((int) (i * 1181L % map.capacity())) == (byte) (i * 1181L % map.capacity() % 251) ? 1 : 0;
                if (i % 4 == 0)
                    right += nothing.length();
            } catch (NullPointerException exception) {
                caught++;
            }
        }
        Thread[] threads = new Thread[4];
        int[] each = new int[4];
        for (int t = 0; t < 4; t++) {
            int self = t;
            threads[t] = new Thread(() -> {
                for (int at = self; at < map.capacity(); at += 4096)
                    each[self] += map.get(at) == (byte) (at % 251) ? 1 : 0;
            });
            threads[t].start();
        }
        for (Thread thread : threads)
            thread.join();
        map.put(5000, (byte) 77);
        try {
            deeper(0);
        } catch (StackOverflowError error) {
            System.out.println("overflow");
        }
        System.gc();
        System.out.println(right + " " + caught + " " + each[0] + " " + each[3] + " " + map.get(5000) + " " + map.get(20000000));
    }
}
