using System.Linq;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>An engine call must not wait for an allocator's locks (shim/runtime/memory.c).</summary>
public sealed class EngineImportTests
{
    private static readonly string[] s_allocating =
    [
        "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign", "memalign", "free", "strdup", "strndup",
        "asprintf", "vasprintf", "getline", "__getdelim", "fopen", "fopen64", "fdopen", "popen", "pthread_getattr_np", "pthread_create",
        "getpwuid", "getaddrinfo",
    ];

    [Fact]
    public void Engine_takes_no_memory_from_libc()
    {
        var lines = Tree.Run("nm", "-D", "--undefined-only", System.IO.Path.Combine(Tree.Out, "lib/overlay/liboverlay-engine.so")).Split('\n');
        var names = lines.Select(line => line.Trim().Split(' ').Last().Split('@')[0]).ToHashSet();
        Assert.Contains("mmap", names);
        Assert.Empty(names.Intersect(s_allocating));
    }
}
