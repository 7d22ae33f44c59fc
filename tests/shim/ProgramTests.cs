using System;
using System.IO;
using System.Linq;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>Real programs under a filter that counts every call and lets it pass.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("overlay-shim-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("bash", "for i in 1 2 3; do echo $i | cat; done; x=$(ls /usr/bin | wc -l); echo $x; read a < /etc/passwd; echo $a; (exit 4); echo $?")]
    [InlineData("ls", "ls -lR /usr/include /usr/bin | cksum")]
    [InlineData("git", "cd $T && git init -q . && git config user.name n && git config user.email e && for i in 1 2 3 4; do seq $i 500 > f$i; git add . && GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z git commit -qm c$i; done; git log --stat | cat; git fsck; git gc -q; git status --short")]
    [InlineData("python3", "python3 -c 'import os,subprocess,threading,tempfile; print(subprocess.check_output([\"ls\",\"/\"])); os.system(\"echo hi\"); print(os.popen(\"echo p\").read()); t=[threading.Thread(target=os.listdir,args=(\"/usr/bin\",)) for i in range(8)]; [x.start() for x in t]; [x.join() for x in t]; f=tempfile.TemporaryFile(); f.write(b\"x\"*100000); f.seek(5); print(len(f.read()))'")]
    [InlineData("node", "node -e 'const fs=require(\"fs\"),cp=require(\"child_process\"); console.log(fs.readdirSync(\"/usr/bin\").length, cp.execSync(\"echo x\").toString()); fs.readFile(\"/etc/passwd\",(e,d)=>console.log(d.length))'")]
    [InlineData("java", "cd $T && printf 'class H{public static void main(String[]a)throws Exception{System.out.println(new java.io.File(\"/etc\").list().length);System.out.println(new String(new ProcessBuilder(\"echo\",\"sub\").start().getInputStream().readAllBytes()));}}' > H.java && java H.java")]
    [InlineData("dotnet", "dotnet --list-runtimes")]
    [InlineData("perl", "perl -e 'print join(\",\",map {chomp;$_} `ls /etc`), \"\\n\"; system(\"echo hi\"); open(F,\"<\",\"/etc/passwd\"); print scalar(<F>); if(my $p=fork){waitpid($p,0);print $?>>8}else{exit 3}'")]
    [InlineData("gcc", "cd $T && printf '#include <stdio.h>\\nint main(){puts(\"built\");}' > m.c && gcc -O1 -o m m.c && ./m")]
    [InlineData("tar", "tar cf - --sort=name /usr/include/linux 2>/dev/null | cksum; find /usr/share/doc -name copyright | sort | cksum")]
    [InlineData("make", "cd $T && printf 'all: a b c d\\na b c d:\\n\\t@sh -c \"sleep 0.05; echo $@\" >>log\\n' > Makefile && make -s -j4 && sort log")]
    public void Program_prints_the_same_when_every_call_goes_through_the_filter(string name, string script)
    {
        if (NativeBuild.Run("sh", ["-c", "command -v " + name]).ExitCode != 0)
            return;    // a machine without it

        var plain = RunScript(script, "plain");
        var report = Path.Combine(_folder, "report");
        var filtered = RunScript(script, "filtered",
            ("LD_PRELOAD", NativeBuild.PathOf("counting_filter.so")), ("COUNTING_REPORT", report));

        Assert.Equal(plain.Output, filtered.Output);
        Assert.Equal(plain.ExitCode, filtered.ExitCode);
        Assert.DoesNotContain("counting_filter", filtered.Errors);
        var calls = File.ReadAllLines(report).Sum(line => long.Parse(line.Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(calls > 10, $"only {calls} calls went through the filter");
    }

    [Fact]
    public void Loader_is_patched_too_when_asked()
    {
        var withoutLoader = CountSites("without");
        var withLoader = CountSites("with", ("COUNTING_LOADER", "1"));

        Assert.True(withoutLoader > 100, $"{withoutLoader} sites in libc");
        Assert.True(withLoader > withoutLoader, $"{withLoader} sites with the loader's, {withoutLoader} without");
    }

    private int CountSites(string name, params (string, string)[] environment)
    {
        var sites = Path.Combine(_folder, name);
        var outcome = NativeBuild.Run(
            "/bin/ls", ["/"], [.. environment, ("LD_PRELOAD", NativeBuild.PathOf("counting_filter.so")), ("COUNTING_SITES", sites)]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("etc", outcome.Output);
        return File.ReadAllLines(sites).Length;
    }

    private NativeBuild.Outcome RunScript(string script, string folder, params (string, string)[] environment)
    {
        var work = Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName;
        return NativeBuild.Run("bash", ["-c", "T=" + work + "; " + script], [.. environment, ("LC_ALL", "C")]);
    }
}
