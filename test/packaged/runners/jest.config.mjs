export default { testMatch: ['<rootDir>/*.test.mjs'], transform: {}, moduleFileExtensions: ['mjs', 'js'] };
