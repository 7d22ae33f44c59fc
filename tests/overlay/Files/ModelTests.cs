using System;
using System.Globalization;
using Overlay.Crypto;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Sealed files against a plain model. OVERLAY_TEST_SEED and OVERLAY_TEST_STEPS explore further than every build does.</summary>
public class ModelTests
{
    private static int Seed => FromEnvironment("OVERLAY_TEST_SEED", 1);

    private static int Factor => FromEnvironment("OVERLAY_TEST_STEPS", 1);

    public static TheoryData<int, CipherSuite, bool> Recipes()
    {
        TheoryData<int, CipherSuite, bool> recipes = [];
        for (int blockSizeLog2 = 12; blockSizeLog2 <= 20; blockSizeLog2++)
            for (CipherSuite suite = CipherSuite.Aes256Gcm; suite <= CipherSuite.XChaCha20Poly1305; suite++)
            {
                recipes.Add(blockSizeLog2, suite, false);
                recipes.Add(blockSizeLog2, suite, true);
            }
        return recipes;
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void One_instance_behaves_like_a_byte_array(int blockSizeLog2, CipherSuite suite, bool compresses) =>
        Run(new Recipe(suite, compresses, blockSizeLog2), instances: 1);

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Two_instances_see_each_other(int blockSizeLog2, CipherSuite suite, bool compresses) =>
        Run(new Recipe(suite, compresses, blockSizeLog2), instances: 2);

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Two_instances_whose_key_is_replaced(int blockSizeLog2, CipherSuite suite, bool compresses) =>
        Run(new Recipe(suite, compresses, blockSizeLog2), instances: 2, rekeys: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_with_another_block_size_than_its_volume(bool compresses) =>
        Run(new Recipe(CipherSuite.Aes256Gcm, compresses, 12) { VolumeBlockSizeLog2 = 14 }, instances: 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Groups_in_three_levels(bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, 12);
        long greatest = 600L * 512 * recipe.Geometry.GroupSize;
        for (int i = 0; i < 4 * Factor; i++)
            new RandomRun(recipe, Seed + i, instances: 2, greatest, rekeys: i % 2 == 1).Go(60);
    }

    private static void Run(Recipe recipe, int instances, bool rekeys = false)
    {
        int steps = recipe.BlockSizeLog2 switch { <= 14 => 300, <= 16 => 100, <= 18 => 40, _ => 20 };
        int runs = recipe.BlockSizeLog2 <= 14 ? 3 : 2;
        for (int i = 0; i < runs * Factor; i++)
            new RandomRun(recipe, Seed + i, instances, 3L * 29 * recipe.BlockSize, rekeys).Go(steps);
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
