import java.io.File;

public class Inside {
    public static void main(String[] arguments) throws Exception {
        System.out.println(Inside.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        System.out.println(new String(Inside.class.getResourceAsStream("/resource.txt").readAllBytes()));
        System.load(new File("libempty.so").getAbsolutePath());
        Process child = new ProcessBuilder("./who", "from Java").redirectErrorStream(true).start();
        System.out.print(new String(child.getInputStream().readAllBytes()).split("\n")[0]);
        System.out.println(" " + child.waitFor());
    }
}
